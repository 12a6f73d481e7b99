//! Command lines as people write them.

use super::*;

fn started(text: &str) -> Vec<(String, String)> {
    let starts = effects_of_text(text, &[]).into_iter().filter_map(|effect| match effect {
        Effect::Starts(started) => Some((started.program, started.args.join(" "))),
        _ => None,
    });
    starts.collect()
}

fn one(text: &str) -> (String, String) {
    let found = started(text);
    assert_eq!(found.len(), 1, "{text}: {found:?}");
    found.into_iter().next().unwrap_or_default()
}

#[test]
fn a_service_is_found_through_its_wrappers() {
    for (text, program, args) in [
        ("jupyter lab --ip=0.0.0.0", "jupyter-lab", "--ip=0.0.0.0"),
        ("exec /opt/conda/bin/jupyter-notebook", "jupyter-notebook", ""),
        ("python3 -m jupyter lab --x", "jupyter-lab", "--x"),
        ("python -u -m notebook", "jupyter-notebook", ""),
        ("/v/bin/python3.12 /v/bin/jupyter-server --port=1", "jupyter-server", "--port=1"),
        ("sh -c \"cd /w && exec jupyter server\"", "jupyter-server", ""),
        ("bash -lc 'sh -c \"jupyter lab\"'", "jupyter-lab", ""),
        ("tini -g -- start-notebook.sh --port=1", "start-notebook.sh", "--port=1"),
        ("sudo -E -u jovyan PATH=/x HOME=/y jupyter lab", "jupyter-lab", ""),
        ("FOO=1 env -u A B=2 gosu nobody jupyter lab", "jupyter-lab", ""),
        ("conda run --no-capture-output -n ml jupyter lab", "jupyter-lab", ""),
        ("s6-setuidgid user nice -n 5 nohup jupyter lab &", "jupyter-lab", ""),
        ("/usr/sbin/sshd -D -p 2222", "sshd", "-D -p 2222"),
        ("service ssh start", "sshd", ""),
        ("/etc/init.d/ssh start", "sshd", ""),
        ("bash -o pipefail -c 'jupyter lab'", "jupyter-lab", ""),
        ("bash -euo pipefail -c 'jupyter lab'", "jupyter-lab", ""),
        ("bash -c -l 'jupyter lab'", "jupyter-lab", ""),
        ("su - jovyan -c 'jupyter lab'", "jupyter-lab", ""),
        ("runuser -u jovyan -- jupyter lab", "jupyter-lab", ""),
        ("runuser jovyan --command='jupyter lab'", "jupyter-lab", ""),
        ("sudo -EHu jovyan jupyter lab", "jupyter-lab", ""),
        ("sudo --user jovyan jupyter lab", "jupyter-lab", ""),
        ("nice -n5 jupyter lab", "jupyter-lab", ""),
        ("flock /run/lock jupyter lab", "jupyter-lab", ""),
        ("uvx --from jupyterlab jupyter lab", "jupyter-lab", ""),
        ("eval \"jupyter lab\"", "jupyter-lab", ""),
        ("jupyter lab --notebook-dir build", "jupyter-lab", "--notebook-dir build"),
        ("jupyter labhub --port=1", "jupyter-labhub", "--port=1"),
        ("python3 -um notebook --port=1", "jupyter-notebook", "--port=1"),
        ("python3 -W ignore -Xdev -mjupyterlab", "jupyter-lab", ""),
        ("sh -c '\"$0\" \"$@\" --z' jupyter lab --x", "jupyter-lab", "--x --z"),
        ("bash -c 'exec ${2} $1' -- lab jupyter", "jupyter-lab", ""),
        ("tmux new-session -d -s jl 'jupyter lab --x'", "jupyter-lab", "--x"),
        ("tmux new -d jupyter lab --x", "jupyter-lab", "--x"),
        ("tmux send-keys -t jl 'jupyter lab' C-m", "jupyter-lab", ""),
        ("screen -dmS jl jupyter lab --x", "jupyter-lab", "--x"),
        ("/init jupyter lab", "jupyter-lab", ""),
        ("/etc/init.d/sshd start", "sshd", ""),
        ("if true; then dropbear -F; fi", "dropbear", "-F"),
    ] {
        assert_eq!(one(text), (program.to_owned(), args.to_owned()), "{text}");
    }
}

#[test]
fn talk_about_a_service_is_no_start() {
    for text in [
        "pip install jupyter lab",
        "sudo apt-get install -y openssh-server sshd",
        "echo jupyter lab",
        "command -v sshd",
        "jupyter --version",
        "jupyter nbconvert x.ipynb",
        "jupyter lab list",
        "jupyter-server --generate-config",
        "python -m ipykernel_launcher -f /root/.local/share/jupyter/runtime/kernel-1.json",
        "python -m pip install notebook",
        "sshd -t",
        "/etc/init.d/sshd stop",
        "/etc/init.d/dropbear status",
        "python3 -c 'jupyter lab' -m notebook",
        "python3 -m",
        "tmux attach -t jupyter",
        "tmux",
        "screen -r jupyter-lab",
        "service ssh stop",
        "ssh host",
        "# jupyter lab",
        "",
        "tini",
        "env",
        "sh -c",
    ] {
        assert_eq!(started(text), [], "{text}");
    }
}

#[test]
fn a_script_that_is_run_is_named() {
    let own = ["own", "jupyter", "lab"].map(str::to_owned);
    let runs = |text: &str| match effects_of_text(text, &own).as_slice() {
        [Effect::Runs(script, args)] => format!("runs {script}: {}", args.join(" ")),
        [Effect::Reads(script, args)] => format!("reads {script}: {}", args.join(" ")),
        other => panic!("{text}: {other:?}"),
    };
    assert_eq!(runs("exec bash -e /start.sh x"), "reads /start.sh: x");
    assert_eq!(runs("/start.sh"), "runs /start.sh: ");
    assert_eq!(runs(". /start.sh \"$@\""), "reads /start.sh: jupyter lab");
    assert_eq!(runs("bash -eo pipefail /start.sh"), "reads /start.sh: ");
}

#[test]
fn the_arguments_of_a_script_are_what_it_ends_in() {
    let args = ["own", "jupyter", "lab", "--port=1"].map(str::to_owned);
    for text in ["exec \"$@\"", "exec tini -- \"${@}\"", "exec gosu u $*"] {
        let found = effects_of_text(text, &args);
        let [Effect::Starts(started)] = found.as_slice() else { panic!("{text}: {found:?}") };
        assert_eq!((started.program.as_str(), started.args.as_slice()), ("jupyter-lab", &args[3..]), "{text}");
    }
    assert_eq!(started("exec \"$@\""), []);
}

#[test]
fn shells_that_nest_without_end_are_left_at_a_depth() {
    let mut text = "jupyter lab".to_owned();
    for _ in 0..8 {
        text = format!("sh -c {text:?}");
    }
    assert_eq!(started(&text), []);
}
