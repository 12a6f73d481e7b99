//! What is answered in an image, and what is left alone.

use super::*;
use crate::check::Catalogue;
use crate::facts::Bind;

fn declared(by: DeclaredBy, path: &str) -> Facts {
    let service = DeclaredService {
        kind: DeclaredKind::Jupyter,
        by,
        path: path.to_owned(),
        port: 8888,
        bind: Fact::Known(Bind::Any),
        auth: Fact::Absent,
        allow_root: Fact::Absent,
        running: Fact::Absent,
        opened_by: Fact::Absent,
        keeps_ending: Fact::Absent,
    };
    let mut facts = Facts::default();
    facts.services.declared = Fact::Known(vec![service]);
    facts
}

fn answer(facts: &Facts) -> Option<String> {
    let options = Options { uid: 10001, command: Vec::new() };
    let steps = steps("service.jupyter-not-declared", facts, &options)?;
    steps.into_iter().map(|(_, text)| text).next()
}

#[test]
fn every_check_that_is_answered_exists() {
    let catalogue = Catalogue::load(&[]).expect("a catalogue");
    for (check, _) in ANSWERS {
        assert!(catalogue.get(check).is_some(), "{check}");
    }
}

#[test]
fn a_service_is_removed_with_its_own_folder_and_no_other() {
    let removed = |by, path| answer(&declared(by, path));
    assert_eq!(removed(DeclaredBy::Runit, "/etc/service/j/run").as_deref(), Some("RUN rm -rf /etc/service/j"));
    assert_eq!(removed(DeclaredBy::Supervisord, "/etc/supervisord.conf"), None, "others are in that file");
    assert_eq!(removed(DeclaredBy::Command, "/etc/service/x"), None);
    let link = "/etc/systemd/system/multi-user.target.wants/j.service";
    assert_eq!(removed(DeclaredBy::Systemd, link), Some(format!("RUN rm -rf {link}")));
    for path in ["/usr/run", "/etc/service/run", "/etc/service/../../run", "/etc/service//run", "/etc/service/a/b/run"]
    {
        assert_eq!(removed(DeclaredBy::Runit, path), None, "{path}");
    }
    assert_eq!(removed(DeclaredBy::S6, "/etc/s6-overlay/s6-rc.d/j/run"), None, "a bundle names it");
}

#[test]
fn a_command_that_may_start_more_than_the_workload_answers_no_service() {
    let of = |command: &str| {
        let command = command.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect();
        let facts = declared(DeclaredBy::Supervisord, "/etc/supervisord.conf");
        steps("service.jupyter-not-declared", &facts, &Options { uid: 10001, command }).is_some()
    };
    assert!(of("python3 /app/serve.py") && of("tini -- vllm serve m"));
    for command in ["", "jupyter lab", "bash -c x", "/opt/start.sh", "tini -- sh start", "runsvdir /etc/service"] {
        assert!(!of(command), "{command}");
    }
}

#[test]
fn no_name_of_a_file_reaches_a_shell() {
    for path in ["/etc/service/$(reboot)/run", "/etc/service/a b/run", "/etc/service/a\nUSER root/run", "x/run"] {
        assert_eq!(answer(&declared(DeclaredBy::Runit, path)), None, "{path}");
    }
}
