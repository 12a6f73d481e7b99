//! The configuration of an image, from a file that was given: what it starts, as whom, with which environment.
//!
//! `docker image inspect` gives a list of one image with `Config`, podman the same with a `History`; `skopeo inspect
//! --config` and the archives hold what OCI's image specification calls the image configuration. Names differ by their
//! capitals alone. Values of variables, labels and the history go no further than [`Given`], which no recording holds.

mod user;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::facts::{Fact, ImageConfig, LIST_LIMIT, cut, cut_word};
use crate::probe::environment::is_secret;
use crate::world::{Still, World};

/// Bytes of the file that are read at most.
pub const LIMIT: u64 = 2 << 20;
/// What docker sets where the image does not.
const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What a configuration says, as far as it is looked at.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Given {
    /// `ENTRYPOINT` and `CMD` together.
    pub command: Vec<String>,
    environment: Vec<(String, String)>,
    user: String,
    folder: String,
    /// What needs no file of the image to be told.
    told: ImageConfig,
}

impl Given {
    /// Reads a configuration.
    pub fn read(text: &str) -> Result<Self, String> {
        let value: Value = serde_json::from_str(text).map_err(|error| format!("no JSON: {error}"))?;
        let image = match &value {
            Value::Array(images) => match images.as_slice() {
                [image] => image,
                _ => return Err(format!("describes {} images; give the one that is judged", images.len())),
            },
            other => other,
        };
        let config = match field(image, "config") {
            Some(config) if config.is_object() => config,
            // An image that sets nothing has none.
            Some(Value::Null) => &Value::Null,
            None if field(image, "rootfs").is_some() => &Value::Null,
            _ => {
                return Err(
                    "is no configuration of an image; `docker image inspect IMAGE` and `skopeo inspect --config` \
                            print one"
                        .to_owned(),
                );
            }
        };
        let command = [words(config, "entrypoint")?, words(config, "cmd")?].concat();
        let environment = words(config, "env")?;
        let text = |name: &str| field(config, name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (user, folder) = (text("user"), text("workingdir"));
        let folder = if folder.starts_with('/') { folder } else { format!("/{folder}") };
        let told = ImageConfig {
            user: Fact::present(Some(cut_word(&user)).filter(|user| !user.is_empty())),
            user_numeric: Fact::Known(user.is_empty() || user.split(':').next().is_some_and(is_number)),
            program: Fact::present(command.first().map(|program| cut(program))),
            working_folder: cut(&folder),
            exposed_ports: keys(config, "exposedports"),
            volumes: keys(config, "volumes"),
            label_names: keys(config, "labels"),
            health_declared: Fact::Known(has_health_check(image, config)),
            size_bytes: Fact::present(field(image, "size").and_then(Value::as_u64)),
            created: Fact::present(field(image, "created").and_then(Value::as_str).map(cut_word)),
            layers: Fact::present(layers(image)),
            architecture: Fact::present(field(image, "architecture").and_then(Value::as_str).map(cut_word)),
            history_secrets: history_secrets(image),
            ..ImageConfig::default()
        };
        let variable = |entry: String| entry.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
        let environment = environment.into_iter().filter_map(variable).collect();
        Ok(Self { command, environment, user, folder, told })
    }

    /// The machine type that the image is made for, where that is another than ours.
    pub fn foreign_machine(&self) -> Option<&str> {
        let own = match std::env::consts::ARCH {
            "x86_64" => "amd64",
            "aarch64" => "arm64",
            other => other,
        };
        self.told.architecture.known().map(String::as_str).filter(|machine| *machine != own && !machine.is_empty())
    }

    /// The image in `world` as a container of it would see it.
    pub fn applied(&self, world: World) -> World {
        let user = user::find(&world, &self.user);
        let mut environment: Vec<(OsString, OsString)> =
            self.environment.iter().map(|(name, value)| (name.into(), value.into())).collect();
        let has = |environment: &[(OsString, OsString)], name: &str| environment.iter().any(|(key, _)| key == name);
        if !has(&environment, "PATH") {
            environment.push(("PATH".into(), DEFAULT_PATH.into()));
        }
        if !has(&environment, "HOME") {
            let home = user.known().map_or_else(|| "/".to_owned(), |user| user::home(&world, user.uid));
            environment.push(("HOME".into(), home.into()));
        }
        let folder = Path::new(&self.folder).to_path_buf();
        let still = Still { is_configured: true, user: user.known().cloned(), folder, ..Still::default() };
        world.configured(environment, still)
    }
}

/// What is recorded of the configuration; absent where none was given.
pub fn collect(world: &World, given: Option<&Given>) -> Fact<ImageConfig> {
    let Some(given) = given else { return Fact::Absent };
    let uid = user::find(world, &given.user).map(|user| user.uid);
    Fact::Known(ImageConfig { uid, ..given.told.clone() })
}

/// A field by its name in lower case.
fn field<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    value.as_object()?.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

fn is_number(text: &str) -> bool {
    text.parse::<u32>().is_ok()
}

/// A list of texts; none where it is not set. What is no list of texts is refused: nothing would be judged by it.
fn words(config: &Value, name: &str) -> Result<Vec<String>, String> {
    let wrong = || format!("`{name}` is no list of texts");
    match field(config, name) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(items)) => {
            items.iter().map(|item| item.as_str().map(str::to_owned).ok_or_else(wrong)).collect()
        }
        Some(_) => Err(wrong()),
    }
}

/// The keys of an object, as many as a fact keeps.
fn keys(config: &Value, name: &str) -> Vec<String> {
    let object = field(config, name).and_then(Value::as_object);
    object.map_or_else(Vec::new, |object| object.keys().take(LIST_LIMIT).map(|key| cut(key)).collect())
}

/// Docker keeps it in the configuration, podman beside it.
fn has_health_check(image: &Value, config: &Value) -> bool {
    let test = |value: &Value| field(field(value, "healthcheck")?, "test")?.as_array().cloned();
    let test = test(config).or_else(|| test(image)).unwrap_or_default();
    test.first().is_some_and(|word| word != "NONE" && word != "")
}

fn layers(image: &Value) -> Option<u64> {
    let root = field(image, "rootfs")?;
    let layers = field(root, "diff_ids").or_else(|| field(root, "layers"))?;
    layers.as_array().map(|layers| layers.len() as u64)
}

/// Names of secrets in the commands that made the layers.
fn history_secrets(image: &Value) -> Fact<Vec<String>> {
    let Some(Value::Array(history)) = field(image, "history") else { return Fact::Absent };
    let mut found = BTreeSet::new();
    for entry in history {
        let made_by = field(entry, "created_by").and_then(Value::as_str).unwrap_or_default();
        found.extend(assignments(made_by).filter(|(name, value)| is_secret(name, value)).map(|(name, _)| cut(name)));
    }
    Fact::Known(found.into_iter().take(LIST_LIMIT).collect())
}

/// Variables that a line of the history sets: of `ENV`, of `ARG` with a default, and build arguments, which `BuildKit` and
/// the old builder write before the command as `|2 NAME=value OTHER=value`. What the command itself sets is not looked at.
fn assignments(made_by: &str) -> impl Iterator<Item = (&str, &str)> {
    let line = made_by.trim_start_matches("/bin/sh -c #(nop)").trim_start().trim_start_matches("RUN ");
    let instruction = line.strip_prefix("ENV ").or_else(|| line.strip_prefix("ARG "));
    let arguments = line.strip_prefix('|').and_then(|rest| {
        let (count, rest) = rest.split_once(' ')?;
        // The words of the command follow; of values with blanks only the beginning is seen, which does.
        let end = rest.find(" /bin/").unwrap_or(rest.len());
        count.parse::<u32>().ok()?;
        rest.get(..end)
    });
    let text = instruction.or(arguments).unwrap_or_default();
    text.split_ascii_whitespace().filter_map(|word| word.split_once('=')).map(|(name, value)| {
        let quotes = ['"', '\''];
        (name, value.trim_matches(quotes))
    })
}

#[cfg(test)]
mod tests;
