//! What a workload is made of: its command line, its script and its log.

use gpu_preflight::probe::workload;

use super::root::Root;

/// The same bytes as the command line of a process, as the script that it runs and as its log.
pub fn read(bytes: &[u8], root: &Root) {
    root.write("/app/serve.py", bytes);
    root.write("/app/serve.log", bytes);
    root.write("/proc/7/cmdline", &[b"python3\0", bytes].concat());
    let command = ["python3".to_owned(), "/app/serve.py".to_owned()];
    let _ = workload::collect(&root.world(&[]), Some(&command), Some("/app/serve.log"), &workload::Named::default());
    let _ = workload::collect(&root.world(&[]), None, None, &workload::Named::default());
}
