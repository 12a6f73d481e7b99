//! Texts that users bring: recordings, checks, profiles.

use std::sync::OnceLock;

use gpu_preflight::check::Catalogue;
use gpu_preflight::check::load::SiteRoom;
use gpu_preflight::facts::recording;
use gpu_preflight::report::text::{self, Layout};
use gpu_preflight::run::{Plan, report_on};
use gpu_preflight::weigh::Profile;

use super::root::Root;

fn plan() -> &'static Plan {
    static PLAN: OnceLock<Plan> = OnceLock::new();
    PLAN.get_or_init(|| {
        let catalogue = Catalogue::load(&[]).expect("our catalogue");
        let text = Profile::embedded("production").expect("a profile of ours");
        let profile = Profile::read("production", "production", text, &catalogue).expect("a profile");
        Plan::of(catalogue, profile)
    })
}

/// A recording, judged as far as it is one.
pub fn recordings(bytes: &[u8], _: &Root) {
    let Ok(recording) = recording::read(&String::from_utf8_lossy(bytes)) else { return };
    let report = report_on(recording.facts, plan(), None, &[]);
    let _ = text::render(&report, Layout { width: 80, color: true, verbose: true });
    let _ = serde_json::to_string(&report);
}

/// A check of a site, with its examples.
pub fn checks(bytes: &[u8], _: &Root) {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let own = ("x/y.toml".to_owned(), "x.y".to_owned(), text);
    if let Err(mistake) = Catalogue::load(&[SiteRoom { shared: None, checks: vec![own] }]) {
        let _ = mistake.to_string();
    }
}

/// A profile with its waivers.
pub fn profiles(bytes: &[u8], _: &Root) {
    if let Err(mistake) = Profile::read("x", "x.toml", &String::from_utf8_lossy(bytes), &plan().catalogue) {
        let _ = mistake.to_string();
    }
}
