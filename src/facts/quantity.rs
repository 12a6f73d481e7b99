//! Amounts as people write them: as Kubernetes has them, and as Docker and compose files do.

/// A quantity of Kubernetes: `24Gi`, `500m`, `1e3`, `2`.
pub fn kubernetes(text: &str) -> Option<f64> {
    let text = text.trim();
    let text = text.strip_prefix('+').unwrap_or(text);
    let end = text.find(|letter: char| !(letter.is_ascii_digit() || letter == '.')).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let factor = match unit {
        "" => 1.0,
        "n" => 1e-9,
        "u" => 1e-6,
        "m" => 0.001,
        "k" => 1e3,
        "M" => 1e6,
        "G" => 1e9,
        "T" => 1e12,
        "P" => 1e15,
        "E" => 1e18,
        "Ki" => 1024.0,
        "Mi" => 1_048_576.0,
        "Gi" => 1_073_741_824.0,
        "Ti" => 1_099_511_627_776.0,
        "Pi" => 1_125_899_906_842_624.0,
        "Ei" => 1_152_921_504_606_846_976.0,
        // `1e3`
        _ => return text.parse().ok().filter(|number: &f64| number.is_finite() && *number >= 0.0),
    };
    Some(number.parse::<f64>().ok()? * factor)
}

/// Bytes in a compose file: `8g`, `512mb`, `1073741824`.
pub fn compose_bytes(text: &str) -> Option<u64> {
    let text = text.trim().to_ascii_lowercase();
    let bare = text.strip_suffix('b').unwrap_or(&text);
    let bare = bare.strip_suffix('i').unwrap_or(bare);
    let (number, factor) = match bare.chars().last()? {
        'k' => (bare.strip_suffix('k')?, 1_u64 << 10),
        'm' => (bare.strip_suffix('m')?, 1 << 20),
        'g' => (bare.strip_suffix('g')?, 1 << 30),
        't' => (bare.strip_suffix('t')?, 1 << 40),
        _ => (bare, 1),
    };
    bytes(number.trim().parse::<f64>().ok()? * factor as f64)
}

/// A number of bytes, where it is one.
pub fn bytes(number: f64) -> Option<u64> {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // within the bounds that are asked
    (number.is_finite() && (0.0..1e19).contains(&number)).then_some(number as u64)
}

/// Seconds of a duration in a compose file: `90s`, `1m30s`, `500ms`.
pub fn seconds(text: &str) -> Option<f64> {
    let mut rest = text.trim();
    let mut sum = 0.0;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let end = rest.find(|letter: char| !(letter.is_ascii_digit() || letter == '.'))?;
        let (number, unit) = rest.split_at(end);
        let length = unit.find(|letter: char| letter.is_ascii_digit() || letter == '.').unwrap_or(unit.len());
        let (unit, behind) = unit.split_at(length);
        let factor = match unit {
            "us" => 1e-6,
            "ms" => 1e-3,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            _ => return None,
        };
        sum += number.parse::<f64>().ok()? * factor;
        rest = behind;
    }
    Some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_as_their_owners_read_them() {
        for (text, amount) in [
            ("24Gi", Some(25_769_803_776.0)),
            ("500m", Some(0.5)),
            ("1.5", Some(1.5)),
            ("1e3", Some(1000.0)),
            ("128M", Some(128e6)),
            ("1Ei", Some(1_152_921_504_606_846_976.0)),
            ("2E", Some(2e18)),
            ("1n", Some(1e-9)),
            ("+1Gi", Some(1_073_741_824.0)),
            ("x", None),
            ("-1", None),
            ("1Zi", None),
            ("NaN", None),
        ] {
            assert_eq!(kubernetes(text), amount, "{text}");
        }
        for (text, amount) in [
            ("8g", Some(8 << 30)),
            ("512mb", Some(512 << 20)),
            ("1.5GiB", Some(3 << 29)),
            ("1073741824", Some(1 << 30)),
            ("64b", Some(64)),
            ("", None),
            ("lots", None),
            ("-1", None),
            ("1e30", None),
            ("1e19", None),
        ] {
            assert_eq!(compose_bytes(text), amount, "{text}");
        }
        for (text, time) in
            [("90s", Some(90.0)), ("1m30s", Some(90.0)), ("500ms", Some(0.5)), ("0s", Some(0.0)), ("5", None)]
        {
            assert_eq!(seconds(text), time, "{text}");
        }
    }
}
