//! What the arguments of sshd and dropbear say.

/// The port of SSH unless it is told otherwise.
pub const PORT: u16 = 22;

/// Options of sshd that have a value.
const SSHD_VALUES: &str = "CEbcfghkopu";
/// Options of dropbear that have a value.
const DROPBEAR_VALUES: &str = "bcrpPWKITDGl";

/// Arguments of an SSH server.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct SshArgs {
    /// Whether it is dropbear, which has no configuration file.
    pub is_dropbear: bool,
    /// The configuration file of `-f`.
    pub file: Option<String>,
    /// Whether a port is given by `-p`, so that those of the file do not count.
    pub has_port: bool,
    /// Keywords and values of `-o` and `-p`, which come before those of the file.
    pub options: Vec<(String, String)>,
}

impl SshArgs {
    /// Reads the arguments of `program`, as `getopt` does: letters may stand together, and a value may follow its letter.
    pub fn read(program: &str, args: &[String]) -> Self {
        let mut found = Self { is_dropbear: program == "dropbear", ..Self::default() };
        let with_value = if found.is_dropbear { DROPBEAR_VALUES } else { SSHD_VALUES };
        let mut words = args.iter();
        while let Some(word) = words.next() {
            let Some(letters) = word.strip_prefix('-') else { continue };
            for (at, letter) in letters.char_indices() {
                if !with_value.contains(letter) {
                    found.flag(letter);
                    continue;
                }
                let rest = letters.get(at + letter.len_utf8()..).unwrap_or_default();
                let mut value =
                    if rest.is_empty() { words.next().cloned().unwrap_or_default() } else { rest.to_owned() };
                // sshd's title has lost the quotes of `-o "Key value"`.
                if letter == 'o' && !value.contains(['=', ' ']) {
                    value = format!("{value} {}", words.next().map_or("", String::as_str));
                }
                found.value(letter, &value);
                break;
            }
        }
        found
    }

    fn flag(&mut self, letter: char) {
        let option = match letter {
            'w' => ("permitrootlogin", "no"),
            'g' => ("permitrootlogin", "prohibit-password"),
            's' => ("passwordauthentication", "no"),
            'B' => ("permitemptypasswords", "yes"),
            _ => return,
        };
        if self.is_dropbear {
            self.push(option.0, option.1);
        }
    }

    fn value(&mut self, letter: char, value: &str) {
        match (letter, self.is_dropbear) {
            ('f', false) => self.file = Some(value.to_owned()),
            ('o', false) => {
                if let Some((key, value)) = value.split_once(['=', ' ']) {
                    self.push(key, value.trim_matches([' ', '"']));
                }
            }
            ('p', false) => {
                self.has_port = true;
                self.push("port", value);
            }
            // dropbear takes `[address:]port`, and without an address every interface.
            ('p', true) => {
                let (address, port) = value.rsplit_once(':').unwrap_or(("", value));
                self.push("port", port);
                self.push("listenaddress", if address.is_empty() { "*" } else { address });
            }
            _ => {}
        }
    }

    fn push(&mut self, key: &str, value: &str) {
        self.options.push((key.trim().to_ascii_lowercase(), value.to_owned()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(program: &str, text: &str) -> SshArgs {
        SshArgs::read(program, &text.split(' ').map(str::to_owned).collect::<Vec<_>>())
    }

    fn options(found: &SshArgs) -> Vec<String> {
        found.options.iter().map(|(key, value)| format!("{key}={value}")).collect()
    }

    #[test]
    fn letters_may_stand_together_and_values_after_them() {
        let found = read("sshd", "-De -f /x -p2222 -oPermitRootLogin=yes -o Port=7 -h /key -4Dp 9");
        assert_eq!((found.file.as_deref(), found.has_port), (Some("/x"), true));
        assert!(!read("sshd", "-oPort=7").has_port);
        assert_eq!(options(&found), ["port=2222", "permitrootlogin=yes", "port=7", "port=9"]);
        assert_eq!(options(&read("sshd", "-D -o PermitRootLogin yes -w -s -o")), ["permitrootlogin=yes", "="]);
    }

    #[test]
    fn dropbear_has_letters_of_its_own() {
        let found = read("dropbear", "-RFEwsB -r /p -p 127.0.0.1:22 -p 2222");
        let expected = [
            "permitrootlogin=no",
            "passwordauthentication=no",
            "permitemptypasswords=yes",
            "port=22",
            "listenaddress=127.0.0.1",
            "port=2222",
            "listenaddress=*",
        ];
        assert_eq!(options(&found), expected);
    }
}
