//! Images that do not run: what is said of one from outside, unpacked or in its archive, is what is said from inside.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use crate::support::docker::{BASE, Image, PATIENT, Recipe, available, text};
use crate::support::fakes;
use crate::support::real_parts::part;
use crate::support::report::Report;

/// A small sound image: a user, a health check, nothing that starts anything else.
const SOUND: &str = "FROM gpu-preflight-test/base
RUN mkdir -p /srv/model && chown 1001:1001 /srv/model
ENV PYTHONUNBUFFERED=1
HEALTHCHECK CMD true
USER 1001:1001
WORKDIR /srv/model
ENTRYPOINT [\"/bin/sleep\"]
CMD [\"infinity\"]
";

/// One as people develop in it, its faults spread over layers that take back what others brought.
const OPEN: &str = "FROM gpu-preflight-test/base
COPY lib /usr/local/cuda-12.8/lib64
COPY start.sh /opt/bin/start.sh
RUN ln -s /usr/local/cuda-12.8 /usr/local/cuda && mkdir -p /usr/local/cuda/include /etc/ssh /srv/.git /opt/old/deep \\
 && touch /usr/local/cuda/include/cuda_runtime.h /etc/ssh/ssh_host_rsa_key /etc/ssh/ssh_host_ed25519_key /opt/old/deep/x
RUN rm -rf /opt/old /etc/ssh/ssh_host_ed25519_key && mkdir /opt/old && echo PermitRootLogin yes > /etc/ssh/sshd_config
RUN rm -rf /usr/bin/perl && printf '#!/bin/sh\\n' > /usr/bin/nano && chmod 755 /usr/bin/nano && ln -s /opt/bin/start.sh /start
ENV LD_LIBRARY_PATH=/usr/local/cuda/lib64 HF_TOKEN=hf_abcdefghijklmnopqrstuvwxyz012345 CUDA_LAUNCH_BLOCKING=1
WORKDIR /srv
EXPOSE 8888
CMD [\"/start\"]
";

/// What its command runs.
const START: &str = "#!/bin/sh
/usr/sbin/sshd -D &
exec jupyter lab --allow-root --ip=0.0.0.0 --IdentityProvider.token=''
";

fn built(dockerfile: &str, folder: &Path) -> Image {
    std::fs::write(folder.join("Dockerfile"), dockerfile).expect("a file");
    std::fs::create_dir_all(folder.join("lib")).expect("a folder");
    for name in ["libcudart.so.12", "libcublas.so.12", "libcublasLt.so.12"] {
        // The release stands in the name of NVIDIA's files.
        let released = format!("{name}.8.4.1");
        std::fs::copy(fakes::folder().join(name), folder.join("lib").join(&released)).expect("a library");
        std::os::unix::fs::symlink(released, folder.join("lib").join(name)).expect("a link");
    }
    let script = folder.join("start.sh");
    std::fs::write(&script, START).expect("a file");
    assert!(Command::new("chmod").arg("755").arg(script).status().expect("chmod").success());
    Image::build(folder)
}

fn outside(options: &[&str]) -> Report {
    let program = env!("CARGO_BIN_EXE_gpu-preflight");
    // Nothing of this process's environment may reach the report.
    let command = Command::new(program)
        .args(["check", "--format", "json", "--verbose", PATIENT])
        .args(options)
        .env("LD_LIBRARY_PATH", "/nonexistent")
        .env("HF_TOKEN", "hf_zyxwvutsrqponmlkjihgfedcba543210")
        .env("JUPYTER_TOKEN_FILE", "/etc/hostname")
        .output()
        .expect("it starts");
    assert!(command.stderr.is_empty(), "{}", text(&command.stderr));
    Report::read(&command)
}

/// Findings by check and subject: outcome and words.
fn findings(report: &Report) -> BTreeMap<(String, String), (String, String)> {
    let word = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let one = |finding: &serde_json::Value| {
        let key = (word(&finding["check"]), word(&finding["subject"]));
        (key, (word(&finding["outcome"]), word(&finding["message"])))
    };
    report.findings().map(one).collect()
}

/// What the program says of an image in each of its three seats: inside, unpacked, in the archive.
fn seats(image: &Image, folder: &Path, options: &[&str]) -> [Report; 3] {
    let (root, archive, config) = (folder.join("root"), folder.join("image.tar"), folder.join("config.json"));
    if !root.exists() {
        std::fs::write(&config, image.configuration()).expect("a file");
        image.unpack(&root);
        image.save(&archive);
    }
    let inside = Recipe::plain(&image.name).mount(&config, "/tmp/config.json").with(["--entrypoint", "gpu-preflight"]);
    let own = ["check", "--format=json", "--verbose", PATIENT, "--profile=image", "--image-config=/tmp/config.json"];
    let inside = Report::read(&inside.run(&[&own[..], options].concat()));
    let path = |path: &Path| path.display().to_string();
    let unpacked = outside(&[&["--root", &path(&root), "--image-config", &path(&config)], options].concat());
    let archived = outside(&[&["--oci", path(&archive).as_str()], options].concat());
    [inside, unpacked, archived]
}

/// Holds the seats against each other: whatever two could decide they say alike.
fn assert_alike(seats: &[Report; 3]) {
    let [inside, mut unpacked, mut archived] = seats.each_ref().map(findings);
    let is_decided = |finding: &&(String, String)| matches!(finding.0.as_str(), "holds" | "fails");
    let mut alike = 0;
    for (key, here) in &inside {
        for (seat, there) in [("--root", &unpacked), ("--oci", &archived)] {
            let there = there.get(key).unwrap_or_else(|| panic!("{seat} says nothing of {key:?}, and inside {here:?}"));
            if is_decided(&here) && is_decided(&there) {
                assert_eq!(here, there, "{key:?}, {seat}");
                alike += 1;
            } else if is_decided(&here) {
                // Nothing of an image is loaded from outside; what its files say of it is judged all the same.
                let by_loading = ["library.loadable", "library.dependencies-present"];
                assert!(by_loading.contains(&key.0.as_str()), "{seat} cannot decide {key:?}: {there:?}");
            }
        }
    }
    assert!(alike >= 30, "{alike}");
    // An archive has the history, and `docker image inspect` has not.
    let history = ("image.history-without-secrets".to_owned(), String::new());
    assert_ne!(unpacked.remove(&history), archived.remove(&history));
    let differing: Vec<_> = unpacked.iter().filter(|(key, finding)| archived.get(*key) != Some(finding)).collect();
    assert!(differing.is_empty() && unpacked.len() == archived.len(), "{differing:?}");
    let [_, unpacked, archived] = seats;
    for report in [unpacked, archived] {
        let text = report.json.to_string();
        assert!(!text.contains("hf_zyx") && !text.contains("hf_abc"), "a secret");
        assert_eq!(report.fact("run.image_only"), true);
        assert!(report.fact("limits.memory_bytes")["unknown"].is_string(), "{}", report.fact("limits"));
    }
}

#[test]
fn a_sound_image_is_ready_from_inside_unpacked_and_in_its_archive() {
    if !available() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let image = built(SOUND, folder.path());
    let seats = seats(&image, folder.path(), &["--no-gpu"]);
    for report in &seats {
        assert_eq!((report.verdict(), report.code), ("ready", 0), "{}", report.troubles());
        assert_eq!(report.outcomes("image.user-not-root"), ["holds"]);
        assert_eq!(report.outcomes("image.health-declared"), ["holds"]);
    }
    assert_alike(&seats);
}

#[test]
fn an_open_image_is_not_ready_in_any_seat_and_all_say_the_same() {
    if !available() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let image = built(OPEN, folder.path());
    for options in [&["--no-gpu"][..], &[]] {
        let seats = seats(&image, folder.path(), options);
        for report in &seats {
            assert_eq!(report.verdict(), "not-ready", "{}", report.troubles());
            for check in [
                "service.jupyter-declared-authenticated",
                "service.ssh-not-declared",
                "image.user-not-root",
                "image.health-declared",
                "image.cuda-headers-absent",
                "image.leftovers-absent",
                "environment.no-secrets",
            ] {
                assert!(report.outcomes(check).contains(&"fails"), "{check}: {}", report.troubles());
            }
            assert_eq!(report.outcomes("service.ssh-host-keys-unique").len(), 1, "the other one was taken back");
        }
        assert_alike(&seats);
    }
}

/// A6: what takes the memory is cuBLAS itself, so it is not loaded where it cannot be, and that is said.
#[test]
fn an_image_is_judged_in_little_memory_and_what_was_left_out_for_it_is_said() {
    let Some(wheels) = part("PREFLIGHT_TEST_NVIDIA_WHEELS").filter(|_| available()) else { return };
    let recipe = Recipe::plain(BASE).mount(&wheels, "/opt/wheels").with(["--env", "PYTHONPATH=/opt/wheels"]);
    let check =
        |memory: &str| recipe.clone().with(["--memory", memory, "--memory-swap", memory]).check(&["--profile=image"]);
    let report = check("48m");
    for probe in report.fact("probes").as_array().expect("probes") {
        assert!(matches!(probe["end"].as_str(), Some("completed" | "skipped")), "{probe}");
    }
    assert_eq!(report.fact("limits.oom_kills"), 0);
    for check in ["library.loadable", "library.dependencies-present"] {
        let finding = report.findings().find(|finding| finding["check"] == check).expect("a finding");
        assert_eq!(finding["outcome"], "unknown", "{finding}");
        assert!(finding["message"].as_str().is_some_and(|words| words.contains("memory limit of 48 MiB")), "{finding}");
    }
    assert_eq!(report.outcomes("library.usable-copy-present")[0], "holds");
    assert_eq!(check("1g").outcomes("library.loadable")[0], "holds");
}

#[test]
fn an_image_whose_command_is_not_known_is_not_called_ready() {
    if !available() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let image = built(OPEN, folder.path());
    let recipe = Recipe::plain(&image.name).with(["--entrypoint", "gpu-preflight", "--user", "1001:1001"]);
    let own =
        ["check", "--format=json", "--verbose", PATIENT, "--profile=image", "--no-gpu", "--skip=environment,image"];
    let report = Report::read(&recipe.run(&own));
    assert_eq!(report.outcomes("service.jupyter-declared-authenticated"), ["unknown"], "{}", report.troubles());
    assert_ne!(report.verdict(), "ready", "{}", report.troubles());
}
