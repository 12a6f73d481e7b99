//! What services answer and are configured with.

use std::cell::RefCell;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener};
use std::sync::mpsc::{Sender, channel};

use gpu_preflight::facts::{Bind, Fact, Listener, Network};
use gpu_preflight::probe::{services, startup};

use super::root::Root;

/// A server that gives each caller what it was told last.
struct Server {
    port: u16,
    answers: Sender<Vec<u8>>,
}

impl Server {
    fn new() -> Self {
        let socket = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = socket.local_addr().expect("an address").port();
        let (answers, told) = channel::<Vec<u8>>();
        std::thread::spawn(move || {
            let mut answer = Vec::new();
            while let Ok((mut stream, _)) = socket.accept() {
                answer = told.try_iter().last().unwrap_or(answer);
                let _ = stream.read(&mut [0; 1024]);
                let _ = stream.write_all(&answer);
                let _ = stream.shutdown(Shutdown::Both);
            }
        });
        Self { port, answers }
    }
}

/// What a listener that may be Jupyter answers to every request.
pub fn http_answers(bytes: &[u8], root: &Root) {
    thread_local! {
        static SERVER: RefCell<Server> = RefCell::new(Server::new());
    }
    SERVER.with_borrow(|server| {
        server.answers.send(bytes.to_vec()).expect("the server");
        let listener = Listener {
            port: server.port,
            address: "127.0.0.1".to_owned(),
            bind: Bind::Loopback,
            uid: Fact::Known(0),
            pid: Fact::Known(7),
            process: Fact::Known("jupyter-lab".to_owned()),
        };
        // The kernel of this root gives out none of the ports that a server may have got, so it is asked as any other too.
        root.write("/proc/sys/net/ipv4/ip_local_port_range", b"65535 65535");
        for name in ["jupyter-lab", "python3"] {
            let process = Fact::Known(name.to_owned());
            let listeners = Fact::Known(vec![Listener { process, ..listener.clone() }]);
            let network = Network { listeners, ..Network::default() };
            let _ = services::collect(&root.world(&[]), &network, &[], true);
        }
    });
}

/// `sshd_config`, with a file that it includes.
pub fn sshd_config(bytes: &[u8], root: &Root) {
    let (first, second) = bytes.split_at(bytes.len() / 2);
    root.write("/etc/ssh/sshd_config", &[first, b"\nInclude /etc/ssh/more.conf\n"].concat());
    root.write("/etc/ssh/more.conf", second);
    let _ = services::collect(&root.world(&[]), &Network::default(), &[], true);
}

/// Jupyter's configuration, as JSON and as Python, of a server that will be started.
pub fn jupyter_config(bytes: &[u8], root: &Root) {
    root.write("/etc/jupyter/jupyter_server_config.json", bytes);
    root.write("/etc/jupyter/jupyter_server_config.py", bytes);
    let command = ["jupyter".to_owned(), "lab".to_owned()];
    let _ = startup::collect(&root.world(&[("HOME", "/root")]), &Fact::Known(Vec::new()), Some(&command));
}
