//! What is read from the files that docker, podman, skopeo and the archives write, and from what only looks like them.

use super::*;
use crate::world::FakeRoot;

const DOCKER: &str = r#"[{"Id": "sha256:1", "Created": "2026-01-02T03:04:05Z", "Architecture": "amd64", "Size": 4096,
  "Config": {"User": "app", "Env": ["PATH=/opt/bin:/usr/bin", "HF_TOKEN=hunter2hunter2", "ODD"], "Cmd": ["serve", "--x"],
  "Entrypoint": ["/start.sh"], "WorkingDir": "/srv", "ExposedPorts": {"8888/tcp": {}}, "Volumes": {"/data": {}},
  "Labels": {"org.opencontainers.image.source": "x"}, "Healthcheck": {"Test": ["CMD", "true"]}},
  "RootFS": {"Type": "layers", "Layers": ["a", "b"]}}]"#;

const OCI: &str = r#"{"architecture": "amd64", "config": {"Cmd": ["/bin/sh", "-c", "serve"]}, "rootfs": {"diff_ids": ["a"]},
  "history": [
    {"created_by": "/bin/sh -c #(nop)  ENV API_TOKEN=hunter2hunter2 MODE=x"},
    {"created_by": "RUN |2 PIP_PASSWORD=hunter3 VERSION=12 /bin/sh -c pip install x # buildkit"},
    {"created_by": "|1 NPM_TOKEN=hunter4 /bin/sh -c npm install"},
    {"created_by": "ENV WANDB_API_KEY=\"hunter5hunter5\""},
    {"created_by": "ARG GITHUB_TOKEN"},
    {"created_by": "RUN /bin/sh -c DB_PASSWORD=x ./seed", "empty_layer": true},
    {"created_by": 7}, 8]}"#;

fn told(text: &str, files: &[(&str, &str)]) -> ImageConfig {
    let given = Given::read(text).expect("a configuration");
    collect(&FakeRoot::of(files, &[]), Some(&given)).known().cloned().expect("known")
}

#[test]
fn what_docker_inspects_is_read() {
    let passwd = "root:x:0:0::/root:/bin/sh\napp:x:1000:1001::/home/app:/bin/sh\n";
    let found = told(DOCKER, &[("etc/passwd", passwd)]);
    assert_eq!((found.user, found.uid), (Fact::Known("app".into()), Fact::Known(1000)));
    assert_eq!((found.user_numeric, found.program), (Fact::Known(false), Fact::Known("/start.sh".into())));
    assert_eq!((found.working_folder.as_str(), found.size_bytes), ("/srv", Fact::Known(4096)));
    assert_eq!((found.exposed_ports, found.volumes), (vec!["8888/tcp".to_owned()], vec!["/data".to_owned()]));
    assert_eq!(found.label_names, ["org.opencontainers.image.source"]);
    assert_eq!((found.health_declared, found.layers), (Fact::Known(true), Fact::Known(2)));
    assert!(found.history_secrets.is_absent(), "docker does not print the history");
    assert_eq!(Given::read(DOCKER).expect("a configuration").command, ["/start.sh", "serve", "--x"]);
}

#[test]
fn what_skopeo_prints_is_read_and_of_its_history_names_alone() {
    let found = told(OCI, &[]);
    assert_eq!((&found.user, &found.uid), (&Fact::Absent, &Fact::Known(0)));
    assert_eq!((&found.health_declared, &found.layers), (&Fact::Known(false), &Fact::Known(1)));
    let names = ["API_TOKEN", "NPM_TOKEN", "PIP_PASSWORD", "WANDB_API_KEY"].map(str::to_owned).to_vec();
    assert_eq!(found.history_secrets, Fact::Known(names));
    let json = serde_json::to_string(&found).expect("JSON");
    assert!(!json.contains("hunter"), "{json}");
}

#[test]
fn a_container_of_it_would_have_this_environment_and_user() {
    let passwd = "root:x:0:0::/root:/bin/sh\napp:x:1000:1001::/home/app:/bin/sh\n";
    let root = FakeRoot::of(&[("etc/passwd", passwd), ("etc/group", "video:x:44:app,b\nx:y\n")], &[]);
    let image = |text: &str| {
        let bare = World::image(root.path(), Vec::new(), Still::default(), std::time::Duration::from_secs(5));
        Given::read(text).expect("a configuration").applied(bare)
    };
    let world = image(DOCKER);
    let user = world.user_of_image();
    assert!(user.known().is_some_and(|user| (user.uid, user.gid, user.groups.as_slice()) == (1000, 1001, &[44])));
    assert_eq!(world.env("PATH").as_deref(), Some("/opt/bin:/usr/bin"));
    assert_eq!(world.env("HOME").as_deref(), Some("/home/app"));
    let world = image(OCI);
    assert_eq!((world.env("PATH").as_deref(), world.env("HOME").as_deref()), (Some(DEFAULT_PATH), Some("/root")));
    assert_eq!(world.working_folder(), Fact::Known("/".into()));
    let stranger = image(r#"{"config": {"User": "nobody-here"}}"#);
    assert!(stranger.user_of_image().is_unknown());
    assert_eq!(stranger.env("HOME").as_deref(), Some("/"));
}

#[test]
fn users_are_numbers_names_and_groups() {
    let files = [("etc/passwd", "root:x:0:0::/root:/bin/sh\n1000:x:7:8::/:/bin/sh\n"), ("etc/group", "web:x:33:\n")];
    let root = FakeRoot::of(&files, &[]);
    let found = |written: &str| user::find(&root, written).known().map(|user| (user.uid, user.gid));
    for (written, expected) in [
        ("", Some((0, 0))),
        ("root", Some((0, 0))),
        ("0:0", Some((0, 0))),
        ("65534", Some((65534, 0))),
        ("65534:web", Some((65534, 33))),
        ("65534:12", Some((65534, 12))),
        ("1000", Some((7, 8))),
        ("nobody", None),
        ("0:nobody", None),
        ("-1", None),
    ] {
        assert_eq!(found(written), expected, "{written}");
    }
    let secret = FakeRoot::of(&[("etc/passwd/x", "")], &[]);
    assert!(user::find(&secret, "app").is_unknown(), "a folder in its place");
}

#[test]
fn a_health_check_that_is_none_is_none_and_podman_keeps_it_elsewhere() {
    let health = |text: &str| told(text, &[]).health_declared;
    assert_eq!(health(r#"{"config": {"Healthcheck": {"Test": ["NONE"]}}}"#), Fact::Known(false));
    assert_eq!(health(r#"{"config": {"Healthcheck": {"Interval": 5}}}"#), Fact::Known(false));
    assert_eq!(health(r#"[{"Config": {}, "Healthcheck": {"Test": ["CMD-SHELL", "x"]}}]"#), Fact::Known(true));
}

#[test]
fn what_is_no_configuration_is_refused_with_the_reason() {
    for (text, why) in [
        ("", "no JSON"),
        ("[]", "describes 0 images"),
        (r#"[{"Config": {}}, {"Config": {}}]"#, "describes 2 images"),
        (r#"{"Name": "x", "Digest": "y", "Env": []}"#, "skopeo inspect --config"),
        ("7", "is no configuration"),
        (r#"{"config": {"Cmd": "serve"}}"#, "`cmd` is no list"),
        (r#"{"config": {"Env": [7]}}"#, "`env` is no list"),
    ] {
        let error = Given::read(text).expect_err(text);
        assert!(error.contains(why), "{text}: {error}");
    }
    let deep = "[".repeat(100_000);
    assert!(Given::read(&deep).is_err());
    assert!(Given::read(r#"{"rootfs": {}}"#).is_ok(), "an image that sets nothing");
}

#[test]
fn an_image_of_another_machine_is_told() {
    let foreign = |machine: &str| {
        let given = Given::read(&format!(r#"{{"architecture": "{machine}", "config": {{}}}}"#)).expect("one");
        given.foreign_machine().map(str::to_owned)
    };
    assert_eq!(foreign("s390x").as_deref(), Some("s390x"));
    assert_eq!(foreign(""), None);
    assert_eq!([foreign("amd64"), foreign("arm64")].iter().flatten().count(), 1);
}
