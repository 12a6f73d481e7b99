//! What a Python file sets for speed. It is read and never run, so this is a hint: words are looked for, not what they do.

use crate::facts::{Fact, GapKind, SpeedSetting};
use crate::world::World;

/// Bytes of a file that are read; a script of more is none that a person wrote.
const LIMIT: u64 = 512 << 10;

/// Words that set something, each a part of a line.
const WORDS: [(SpeedSetting, &[&str]); 3] = [
    (SpeedSetting::Tf32, &["allow_tf32", "set_float32_matmul_precision", "fp32_precision"]),
    (SpeedSetting::CudnnBenchmark, &["cudnn.benchmark"]),
    (SpeedSetting::MixedPrecision, &["autocast", "bfloat16", "float16", ".half()", "fp16", "bf16"]),
];

/// The lines of the file without comments.
pub fn read(world: &World, path: &str) -> Fact<String> {
    match world.read_bytes(path, LIMIT) {
        Fact::Known(bytes) if bytes.len() as u64 >= LIMIT => {
            Fact::unknown(GapKind::NotSupported, format!("{path}: longer than is read"))
        }
        Fact::Known(bytes) => {
            let text = String::from_utf8_lossy(&bytes);
            let code = text.lines().map(|line| line.split('#').next().unwrap_or_default());
            Fact::Known(code.collect::<Vec<_>>().join("\n"))
        }
        Fact::Absent => Fact::unknown(GapKind::NotSupported, format!("{path} is not there")),
        Fact::Unknown(gap) => Fact::Unknown(gap),
    }
}

/// Whether it imports PyTorch or something that is made from it.
pub fn uses_torch(code: &str) -> bool {
    let imports = |line: &str| {
        let mut words = line.split([' ', '\t', ',', '.']).filter(|word| !word.is_empty());
        matches!(words.next(), Some("import" | "from"))
            && words.any(|word| matches!(word, "torch" | "torchvision" | "transformers" | "diffusers" | "lightning"))
    };
    code.lines().any(|line| imports(line.trim()))
}

/// What it sets. A file that takes its settings from elsewhere shows none of them.
pub fn settings(code: &str) -> Fact<Vec<SpeedSetting>> {
    let has = |words: &[&str]| words.iter().any(|word| code.contains(word));
    Fact::Known(WORDS.iter().filter(|(_, words)| has(words)).map(|(setting, _)| *setting).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::FakeRoot;

    fn code(text: &str) -> String {
        read(&FakeRoot::of(&[("a.py", text)], &[]), "/a.py").known().cloned().expect("a text")
    }

    #[test]
    fn each_setting_is_known_by_its_words_and_comments_set_nothing() {
        let found = |text: &str| settings(&code(text)).known().cloned().expect("settings");
        assert_eq!(found("torch.set_float32_matmul_precision('high')\n"), [SpeedSetting::Tf32]);
        assert_eq!(found("torch.backends.cudnn.benchmark = True"), [SpeedSetting::CudnnBenchmark]);
        assert_eq!(found("with torch.autocast('cuda'):\n"), [SpeedSetting::MixedPrecision]);
        assert_eq!(found("# torch.backends.cuda.matmul.allow_tf32 = True\nx = 1  # autocast\n"), []);
    }

    #[test]
    fn pytorch_is_known_by_its_imports() {
        for (text, is_torch) in [
            ("import torch\n", true),
            ("  import numpy, torch.nn as nn\n", true),
            ("from transformers import pipeline\n", true),
            ("import torchless\n", false),
            ("print('import torch')\n", false),
        ] {
            assert_eq!(uses_torch(&code(text)), is_torch, "{text}");
        }
    }

    #[test]
    fn a_file_that_is_too_long_or_not_there_is_not_known() {
        let root = FakeRoot::of(&[("long.py", &"x".repeat(600 << 10))], &[]);
        assert!(read(&root, "/long.py").is_unknown() && read(&root, "/no.py").is_unknown());
        root.file("bytes.py", b"\xff\xfeimport torch");
        assert!(read(&root, "/bytes.py").known().is_some());
    }
}
