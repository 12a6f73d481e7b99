//! Kinds of packages that nothing here reads, under the names that addresses (purl) have for them.

use crate::facts::{Fact, PackageManager, cut_word};

/// The kind of a package by its address in the report, else by the scanner's word for it. Absent of what is read here.
pub fn kind(manager: PackageManager, purl: Option<&str>, word: Option<&str>) -> Fact<String> {
    if manager != PackageManager::Other {
        return Fact::Absent;
    }
    let by_purl = purl.and_then(|purl| purl.strip_prefix("pkg:")?.trim_start_matches('/').split_once('/'));
    let kind = by_purl.map(|(kind, _)| kind).or_else(|| word.map(of_word)).filter(|kind| !kind.is_empty());
    Fact::present(kind.map(|kind| cut_word(&kind.to_lowercase())))
}

fn of_word(word: &str) -> &str {
    match word {
        "node-pkg" | "yarn" | "pnpm" | "bun" => "npm",
        "gobinary" | "gomod" | "go-module" => "golang",
        "jar" | "pom" | "gradle" | "sbt" | "java-archive" => "maven",
        "gemspec" | "bundler" => "gem",
        "rustbinary" | "rust-crate" => "cargo",
        "dotnet-core" | "dotnet" | "packages-props" => "nuget",
        "composer-vendor" | "php-composer" => "composer",
        "dart-pub" => "pub",
        "pod" => "cocoapods",
        // Where they call it the same, or where no address is known to.
        other => other,
    }
}
