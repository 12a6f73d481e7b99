//! Compose files, as people write them and as nobody should.

use super::*;

pub(super) fn one(text: &str) -> Container {
    let text = format!("services:\n  a:\n{text}");
    read("compose.yaml", &text, &mut Vec::new()).unwrap_or_else(|wrong| panic!("{wrong:?}")).services.remove(0)
}

#[test]
fn limits_are_read_in_both_forms() {
    for text in [
        "    mem_limit: 8g\n    cpus: 4\n    pids_limit: 512\n    shm_size: 2gb\n",
        "    shm_size: 2147483648\n    deploy:\n      resources:\n        limits: {memory: 8192M, cpus: '4', pids: 512}\n",
    ] {
        let limits = one(text).facts.limits;
        assert_eq!((limits.memory_bytes, limits.shm_bytes), (Fact::Known(8 << 30), Fact::Known(2 << 30)), "{text}");
        assert_eq!((limits.cpu_quota_cores, limits.pids), (Fact::Known(4.0), Fact::Known(512)), "{text}");
    }
    let bare = one("    image: x:1\n").facts.limits;
    assert!(bare.memory_bytes.is_absent() && bare.pids.is_absent());
    assert_eq!(bare.shm_bytes, Fact::Known(64 << 20));
    assert!(one("    mem_limit: ${M}\n").facts.limits.memory_bytes.is_unknown());
    assert_eq!(one("    mem_limit: ${M:-1g}\n").facts.limits.memory_bytes, Fact::Known(1 << 30));
    assert!(one("    mem_limit: lots\n").facts.limits.memory_bytes.is_unknown());
}

#[test]
fn what_is_shared_with_the_host_is_told() {
    let text = "    privileged: true\n    pid: host\n    network_mode: host\n    cap_add: [SYS_ADMIN, NET_BIND_SERVICE]\n    \
                volumes: ['/var/run/docker.sock:/x.sock', {type: bind, source: /etc, target: /host}, data:/data]\n";
    let facts = one(text).facts;
    assert_eq!((facts.isolation.privileged, facts.isolation.host_pid), (Fact::Known(true), Fact::Known(true)));
    assert_eq!(facts.identity.capabilities_beyond_baseline, Fact::Known(vec!["SYS_ADMIN".to_owned()]));
    assert_eq!(facts.isolation.runtime_sockets.known().map(Vec::len), Some(1));
    assert_eq!(facts.isolation.sensitive_mounts, Fact::Known(vec!["/host (/etc of the host)".to_owned()]));
    let sound = one("    user: '1000'\n    security_opt: ['no-new-privileges:true']\n    read_only: true\n").facts;
    assert_eq!((sound.identity.uid, sound.isolation.no_new_privileges), (Fact::Known(1000), Fact::Known(true)));
    assert_eq!(sound.isolation.root_read_only, Fact::Known(true));
}

#[test]
fn variables_have_values_where_the_text_gives_them() {
    let container = one("    environment:\n      A: 1\n      B: ${B}\n      C: ${C:-c}\n      D:\n");
    let told: Vec<(&str, Option<&str>)> =
        container.environment.iter().map(|one| (one.name.as_str(), one.value.as_deref())).collect();
    assert_eq!(told, [("A", Some("1")), ("B", None), ("C", Some("c")), ("D", None)]);
    let list = one("    environment: [A=1, B]\n").environment;
    assert_eq!((list[0].value.as_deref(), list[1].value.as_deref()), (Some("1"), None));
}

#[test]
fn only_ports_that_others_reach_are_published() {
    let container = one(
        "    ports: ['127.0.0.1:22:22', '8000:8000', '22', {target: 6006, published: '6006', host_ip: 127.0.0.1}]\n",
    );
    let ports: Vec<u16> =
        container.facts.written.published_ports.known().into_iter().flatten().map(|p| p.port).collect();
    assert_eq!(ports, [8000, 22]);
}

#[test]
fn a_service_is_told_with_what_it_extends() {
    let text = "services:\n  base: {mem_limit: 1g, environment: {A: 1}}\n  a: {extends: {service: base}, environment: {B: 2}}\n  \
                b: {extends: {service: x, file: y.yaml}}\n";
    let all = read("c", text, &mut Vec::new()).expect("three services").services;
    assert_eq!((all[1].facts.limits.memory_bytes.clone(), all[1].environment.len()), (Fact::Known(1 << 30), 2));
    let open = &all[2].facts;
    assert!(open.limits.memory_bytes.is_unknown() && open.written.gpu_requested.is_unknown());
    assert!(
        open.isolation.privileged.is_unknown() && open.limits.shm_bytes.is_unknown(),
        "it may be said in the other file"
    );
}

#[test]
fn what_is_no_compose_file_is_refused() {
    for text in ["", "a: 1\n", "services:\n", "services: {}\n", "- a\n"] {
        assert!(read("c", text, &mut Vec::new()).is_err(), "{text}");
    }
}

#[test]
fn merged_maps_count_wherever_a_map_is_read() {
    let text = "x-env: &env {A: 1, NCCL_P2P_DISABLE: '1'}\nservices:\n  a:\n    environment: {<<: *env, B: 2}\n";
    let all = read("c", text, &mut Vec::new()).expect("a service").services;
    let names: Vec<&str> = all[0].environment.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["B", "A", "NCCL_P2P_DISABLE"]);
}

#[test]
fn variables_are_filled_in_before_anything_is_compared() {
    let facts = one("    privileged: ${PRIV:-true}\n    pid: ${PID:-host}\n    read_only: ${RO:-true}\n").facts;
    assert_eq!((&facts.isolation.privileged, &facts.isolation.host_pid), (&Fact::Known(true), &Fact::Known(true)));
    assert_eq!(facts.isolation.root_read_only, Fact::Known(true));
    let open =
        one("    privileged: ${P}\n    pid: ${P}\n    read_only: ${P}\n    cap_add: ['${P}']\n    runtime: ${P}\n    \
         security_opt: ['${P}']\n    volumes: ['${P}:/x']\n    ports: ['${P}:6006:6006']\n")
        .facts;
    assert!(open.isolation.privileged.is_unknown() && open.isolation.host_pid.is_unknown());
    assert!(open.isolation.root_read_only.is_unknown() && open.isolation.no_new_privileges.is_unknown());
    assert!(open.identity.all_capabilities.is_unknown() && open.written.gpu_requested.is_unknown());
    assert!(open.isolation.runtime_sockets.is_unknown() && open.written.published_ports.is_unknown());
    let volumes =
        one("    volumes: ['${SOCK:-/var/run/docker.sock}:/x.sock', '${HOME}/.cache:/c', '${HOME}:/h']\n").facts;
    assert_eq!(volumes.isolation.runtime_sockets.known().map(Vec::len), Some(1));
    assert_eq!(volumes.isolation.sensitive_mounts, Fact::Known(Vec::new()));
}

#[test]
fn ports_are_read_in_ranges_and_through_variables() {
    let ports = |text: &str| {
        let told = one(&format!("    ports: [{text}]\n")).facts.written.published_ports;
        told.known().map(|ports| ports.iter().map(|one| one.port).collect::<Vec<_>>())
    };
    assert_eq!(ports("'${BIND:-127.0.0.1}:6006:6006'"), Some(vec![]));
    assert_eq!(ports("'6006-6008:6006-6008'"), Some(vec![6006, 6007, 6008]));
    assert_eq!(ports("'${PORT:-80}:8000'"), Some(vec![8000]));
    assert_eq!(ports("'${PORT}:6006'"), Some(vec![6006]));
    assert_eq!(ports("'80:${PORT}'"), None);
}

#[test]
fn addresses_of_the_long_form_are_read_whole() {
    let ports = |text: &str| {
        let told = one(&format!("    ports: [{text}]\n")).facts.written.published_ports;
        told.known().map(|ports| ports.iter().map(|one| one.published.clone()).collect::<Vec<_>>().join(" "))
    };
    let long = |ip: &str, published: &str| format!("{{target: 6006, published: '{published}', host_ip: '{ip}'}}");
    for (ip, told) in [("::1", ""), ("[::1]", ""), ("127.0.0.1", ""), ("::", "[::]:6006"), ("0.0.0.0", "0.0.0.0:6006")]
    {
        assert_eq!(ports(&long(ip, "6006")).as_deref(), Some(told), "{ip}");
    }
    assert_eq!((ports(&long("::1", "")), ports(&long("", "80"))), (Some(String::new()), Some("80".to_owned())));
    assert_eq!(ports("'[::1]:6006:6006', '[::]:6006:6006'").as_deref(), Some("[::]:6006"));
    assert_eq!(ports(&long("${IP}", "6006")), None, "it may be any address");
    let exposed = |mode: &str| one(&format!("    network_mode: {mode}\n    expose: ['6006/tcp']\n")).facts.written;
    assert_eq!(exposed("host").published_ports.known().map(Vec::len), Some(1));
    assert_eq!(exposed("bridge").published_ports.known().map(Vec::len), Some(0));
}

#[test]
fn what_is_extended_is_followed_to_its_end() {
    let text = "services:\n  a: {extends: b, volumes: ['/data:/data', '/srv:/etc2']}\n  \
                b: {extends: {service: c}, cap_add: [NET_ADMIN]}\n  \
                c: {volumes: ['/var/run/docker.sock:/s', '/etc:/etc2'], cap_add: [SYS_ADMIN], environment: [A=1]}\n  \
                d: {extends: e}\n  e: {extends: d}\n  f: {extends: g}\n  g: {extends: {service: x, file: y.yaml}}\n";
    let all = read("c", text, &mut Vec::new()).expect("services").services;
    let facts = &all[0].facts;
    assert_eq!(facts.isolation.runtime_sockets.known().map(Vec::len), Some(1));
    assert_eq!(
        facts.isolation.sensitive_mounts,
        Fact::Known(Vec::new()),
        "a mount at the same path is put in its place"
    );
    assert_eq!(facts.identity.capabilities_beyond_baseline.known().map(Vec::len), Some(2));
    assert_eq!(all[0].environment.len(), 1);
    for open in [3, 5, 6] {
        assert!(all[open].facts.isolation.privileged.is_unknown(), "{}", all[open].name);
    }
}

#[test]
fn nought_is_no_limit() {
    let limits = one("    mem_limit: 0\n    cpus: 0\n    pids_limit: 0\n").facts.limits;
    assert!(limits.memory_bytes.is_absent() && limits.cpu_quota_cores.is_absent() && limits.pids.is_absent());
    assert!(one("    pids_limit: -1\n").facts.limits.pids.is_absent());
}

#[test]
fn shared_memory_is_a_tmpfs_too() {
    let shm = |text: &str| one(text).facts.limits.shm_bytes;
    assert!(shm("    tmpfs: /dev/shm\n").is_not_asked());
    assert_eq!(shm("    tmpfs: ['/dev/shm:size=1g']\n"), Fact::Known(1 << 30));
    assert_eq!(shm("    volumes: [{type: tmpfs, target: /dev/shm, tmpfs: {size: 2gb}}]\n"), Fact::Known(2 << 30));
    assert!(shm("    shm_size: ${S}\n").is_unknown());
}

#[test]
fn what_is_built_is_not_judged_by_its_name() {
    assert!(one("    image: app\n    build: .\n").image.is_none());
    assert!(one("    image: app\n").image.is_some());
}

#[test]
fn a_line_is_started_without_a_shell() {
    let container = one("    entrypoint: [jupyter, lab]\n    command: --ip=0.0.0.0 --a='' --b \"${T:?set it}\"\n");
    let words = container.cmd.expect("a command").0;
    assert_eq!(words, ["--ip=0.0.0.0", "--a=", "--b", "${T}"]);
}

#[test]
fn large_files_are_read_at_once() {
    use std::fmt::Write as _;
    let begun = std::time::Instant::now();
    let mut many = "x-e: &e [a".to_owned();
    (0..20_000).for_each(|n| write!(many, ",A{n}=1").expect("memory"));
    many.push_str("]\nservices:\n");
    (0..5000).for_each(|n| writeln!(many, "  s{n}: {{environment: *e, ports: *e, volumes: *e}}").expect("memory"));
    assert_eq!(read("c", &many, &mut Vec::new()).expect("services").services.len(), SERVICES);
    assert!(begun.elapsed().as_secs() < 20, "{:?}", begun.elapsed());
}

#[test]
fn a_dockerfile_in_the_file_is_read_with_its_lines() {
    for (begin, first) in [("|", 5), ("|-\n        # a", 6), ("|\n\n", 7)] {
        let text =
            format!("    build:\n      dockerfile_inline: {begin}\n        FROM ubuntu:24.04\n\n        USER app\n");
        let built = one(&text).built.expect("a Dockerfile");
        assert_eq!((built.last.line, built.last.user.map(|user| user.line)), (first, Some(first + 2)), "{begin:?}");
    }
    let wrong = "services:\n  a:\n    build:\n      dockerfile_inline: |\n        FROM a\n        RUNS b\n";
    let (line, _, why) = read("c", wrong, &mut Vec::new()).expect_err("no instruction");
    assert!(line == 6 && why.contains("RUNS"), "{line}: {why}");
    assert!(one("    build: .\n").built.is_none());
}

#[test]
fn files_that_are_included_are_told() {
    let includes = |text: &str| read("c", text, &mut Vec::new()).expect("a project").includes;
    assert_eq!(includes("services: {a: {image: x}}\ninclude: [b.yaml]\n"), Some(2));
    assert_eq!(includes("services: {a: {image: x}}\n"), None);
}

#[test]
fn configs_with_their_content_are_files() {
    let files = |configs: &str| {
        let text = format!(
            "services: {{a: {{configs: [{configs}]}}}}\nconfigs: {{run: {{content: jupyter lab}}, far: {{file: x}}}}\n"
        );
        read("c", &text, &mut Vec::new()).expect("a project").services.remove(0).files
    };
    let file = |path: &str| vec![(path.to_owned(), "jupyter lab".to_owned())];
    assert_eq!((files("run"), files("{source: run, target: /run.sh}")), (file("/run"), file("/run.sh")));
    assert_eq!(files("far, none"), Vec::new());
}
