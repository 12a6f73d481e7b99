//! What the values of options may be.

use std::time::Duration;

use clap::ValueEnum;
use clap::builder::PossibleValue;

use super::{Assumption, Mode, ReportTo};
use crate::exit::Style;
use crate::facts::reference::gpus;
use crate::facts::shape::{self, Shape, Shaped};
use crate::facts::version::Version;
use crate::facts::{Phase, Tier};
use crate::lang::suggestion;
use crate::report::formats::Format;
use crate::text::plain;

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
        let near = suggestion(&word.to_lowercase(), known.iter().map(String::as_str));
        let said = || format!("{} is `{}`, none of {}{near}", Self::VARIABLE, plain(word), known.join(", "));
        found.map(Some).map_err(|_| said())
    }
}

impl ValueEnum for Phase {
    /// Those of a look: the phase `written` is that of files, which say it themselves.
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Live, Self::Start, Self::Build]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.as_str()))
    }
}

impl ValueEnum for Tier {
    fn value_variants<'a>() -> &'a [Self] {
        Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let help = match self {
            Self::Standard => "Multiply on every GPU, timed and proven",
            Self::Quick => "Ask drivers and libraries alone: no CUDA context, no multiply",
            Self::Deep => "Multiply for a while, test memory and the links between GPUs: about a minute",
            Self::Soak => "The same, multiplying for as long as --for says",
        };
        Some(PossibleValue::new(self.as_str()).help(help))
    }
}

impl ValueEnum for Format {
    fn value_variants<'a>() -> &'a [Self] {
        Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(word(Self::SHAPE, self.as_str()))
    }
}

impl ValueEnum for Style {
    fn value_variants<'a>() -> &'a [Self] {
        Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(word(Self::SHAPE, self.as_str()))
    }
}

/// A word with what it means.
fn word(words: &'static Shape, name: &'static str) -> PossibleValue {
    let Shape::Word(words) = words else { return PossibleValue::new(name) };
    let found = words.iter().find(|word| word.name == name);
    PossibleValue::new(name).help(found.map_or_else(String::new, |word| shape::text(word.doc).replace('`', "")))
}

/// `FORMAT=PATH`.
pub fn report_to(text: &str) -> Result<ReportTo, String> {
    let known = || Format::ALL.iter().map(|format| format.as_str()).collect::<Vec<_>>().join(", ");
    let (format, path) = text
        .split_once('=')
        .ok_or_else(|| format!("FORMAT=PATH, for example junit=report.xml; formats: {}", known()))?;
    if path.is_empty() {
        return Err(format!("no path after {format}=; - is standard output"));
    }
    let near = suggestion(format, Format::ALL.iter().map(|known| known.as_str()));
    let format = format.parse().map_err(|why| format!("{why}{near}"))?;
    Ok(ReportTo { format, path: path.into() })
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

/// The number of a process.
pub fn process(text: &str) -> Result<u32, String> {
    text.parse().map_err(|_| "the number of a process, as `ps` shows it, for example 1".to_owned())
}

/// A time for which something is repeated.
pub fn duration(text: &str) -> Result<Duration, String> {
    time(text, 1.0..=86_400.0).ok_or_else(|| "a time from 1s to 24h, for example 30s, 10m or 1h".to_owned())
}

/// A time that makes sense as a deadline.
pub fn deadline(text: &str) -> Result<Duration, String> {
    time(text, 0.1..=90_000.0).ok_or_else(|| "a time from 0.1s to 25h, for example 5, 2.5s or 2m".to_owned())
}

/// A time between two looks.
pub fn interval(text: &str) -> Result<Duration, String> {
    time(text, 0.1..=86_400.0).ok_or_else(|| "a time from 0.1s to 24h, for example 1, 10s or 5m".to_owned())
}

/// A number with its unit: `500ms`, `30s`, `10m`, `1h`; seconds where it has none.
fn time(text: &str, allowed: std::ops::RangeInclusive<f64>) -> Option<Duration> {
    let units = [("ms", 0.001), ("s", 1.0), ("m", 60.0), ("h", 3600.0), ("", 1.0)];
    let (number, unit) = units.iter().find_map(|(unit, seconds)| Some((text.strip_suffix(unit)?, seconds)))?;
    let seconds = number.parse::<f64>().ok()? * unit;
    allowed.contains(&seconds).then(|| Duration::from_secs_f64(seconds))
}
