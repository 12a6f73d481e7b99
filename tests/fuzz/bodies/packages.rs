//! What package managers recorded, and advisories that it is held against.

use std::path::Path;

use gpu_preflight::facts::{Fact, Installed, Inventory, PackageManager};
use gpu_preflight::probe::{advisories, packages, vex};

use super::root::Root;

/// The records of every package manager, all of them the same bytes.
pub fn records(bytes: &[u8], root: &Root) {
    let site = "/opt/conda/lib/python3.12/site-packages";
    for place in [
        "/var/lib/dpkg/status",
        "/lib/apk/db/installed",
        "/etc/os-release",
        "/opt/conda/conda-meta/torch-2.7.0-py312_0.json",
        &format!("{site}/torch-2.7.0.dist-info/METADATA"),
        &format!("{site}/torch-2.7.0.dist-info/RECORD"),
        &format!("{site}/pytest-8.dist-info/METADATA"),
    ] {
        root.write(place, bytes);
    }
    let _ = packages::collect(&root.world(&[]), None);
    let _ = packages::inventory(&root.world(&[("CONDA_PREFIX", "/opt/conda")]));
}

/// An archive, an index or one advisory.
pub fn advisories(bytes: &[u8], root: &Root) {
    root.write("/osv/export", bytes);
    root.write("/osv/folder/one.json", bytes);
    let package = |manager, name: &str, version: &str| Installed {
        manager,
        name: name.to_owned(),
        version: version.to_owned(),
        ..Installed::default()
    };
    let inventory = Inventory {
        system: "debian".to_owned(),
        system_version: "12".to_owned(),
        packages: vec![
            package(PackageManager::Python, "torch", "1.12.0+cu116"),
            package(PackageManager::Dpkg, "openssl", "3.0.11-1~deb12u2"),
        ],
        ..Inventory::default()
    };
    for path in ["/osv/export", "/osv/folder"] {
        let _ = advisories::hold(&root.world(&[]), Path::new(path), &inventory);
    }
    // What may be advisories may as well be a scanner's report, or say what is excused.
    let mut found = advisories::scanned::hold(&root.world(&[]), Path::new("/osv/export"), &inventory).vulnerabilities;
    if let (Ok(statements), Fact::Known(found)) = (vex::read("vex.json", &String::from_utf8_lossy(bytes)), &mut found) {
        let _ = vex::excuse(&statements, &inventory, found);
    }
    if let Ok(read) = advisories::read_all(&root.world(&[]), Path::new("/osv/export")) {
        let _ = advisories::index_text(read);
    }
}
