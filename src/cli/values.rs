//! What the values of options may be.

use std::time::Duration;

use clap::ValueEnum;

use super::{Assumption, Mode};
use crate::facts::reference::gpus;
use crate::facts::version::Version;
use crate::facts::{Phase, Tier};

impl Mode {
    /// The variable that says it where no flag does.
    pub const VARIABLE: &str = "GPU_PREFLIGHT_MODE";

    /// The mode that the variable asks for: upper and lower case and blanks around are one, and nothing is no wish.
    pub fn named(value: &str) -> Result<Option<Self>, String> {
        let word = value.trim();
        if word.is_empty() {
            return Ok(None);
        }
        let known = Self::value_variants().iter().filter_map(Self::to_possible_value);
        let known: Vec<String> = known.map(|value| value.get_name().to_owned()).collect();
        let found = <Self as ValueEnum>::from_str(word, true);
        found.map(Some).map_err(|_| format!("{} is none of {}", Self::VARIABLE, known.join(", ")))
    }
}

impl ValueEnum for Phase {
    /// Those of a look: the phase `written` is that of files, which say it themselves.
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Live, Self::Start, Self::Build]
    }

    fn to_possible_value(&self) -> Option<clap::builder::PossibleValue> {
        Some(clap::builder::PossibleValue::new(self.as_str()))
    }
}

impl ValueEnum for Tier {
    fn value_variants<'a>() -> &'a [Self] {
        Self::ALL
    }

    fn to_possible_value(&self) -> Option<clap::builder::PossibleValue> {
        let help = match self {
            Self::Standard => "Multiply on every GPU, timed and proven",
            Self::Quick => "Ask drivers and libraries alone: no CUDA context, no multiply",
            Self::Deep => "Multiply for a while, test memory and the links between GPUs: about a minute",
            Self::Soak => "The same, multiplying for as long as --for says",
        };
        Some(clap::builder::PossibleValue::new(self.as_str()).help(help))
    }
}

/// `gpu=NAME` or `driver=VERSION`.
pub fn assumption(text: &str) -> Result<Assumption, String> {
    match text.split_once('=') {
        Some(("gpu", words)) => gpus::find(words).map(|model| Assumption::Gpu(model.name.clone())),
        Some(("driver", version)) if Version::parse(version).is_some() => Ok(Assumption::Driver(version.to_owned())),
        Some(("driver", version)) => Err(format!("`{version}` is no driver version, for example 580.65.06")),
        _ => Err("gpu=NAME or driver=VERSION".to_owned()),
    }
}

/// A number with its unit: `30s`, `10m`, `1h`.
pub fn duration(text: &str) -> Result<Duration, String> {
    let unit = |seconds: u64| move |number: &str| number.parse::<u64>().ok()?.checked_mul(seconds);
    let seconds = match text.split_at_checked(text.len().saturating_sub(1)) {
        Some((number, "s")) => unit(1)(number),
        Some((number, "m")) => unit(60)(number),
        Some((number, "h")) => unit(3600)(number),
        _ => None,
    };
    match seconds {
        Some(seconds @ 1..=86_400) => Ok(Duration::from_secs(seconds)),
        _ => Err("a time from 1s to 24h, for example 30s, 10m or 1h".to_owned()),
    }
}

/// A number of seconds that makes sense as a deadline.
pub fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if (0.1..=90_000.0).contains(&seconds) => Ok(seconds),
        _ => Err("a number of seconds from 0.1 to 90000".to_owned()),
    }
}
