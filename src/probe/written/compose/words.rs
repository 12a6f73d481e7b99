//! What a service starts, and with which variables.

use std::collections::HashMap;

use super::{ITEMS, Service};
use crate::probe::written::container::{Container, Variable};

impl Service<'_> {
    /// Its variables, of all levels.
    pub(super) fn environment(&self, container: &mut Container) {
        let mut at: HashMap<String, usize> = HashMap::new();
        for node in self.levels.iter().rev().filter_map(|service| service.get("environment")) {
            let list = node.items().iter().take(ITEMS).filter_map(|item| {
                let text = item.raw()?;
                let (name, value) = text.split_once('=').map_or((text, None), |(name, value)| (name, Some(value)));
                let value = value.filter(|_| item.open().is_none());
                Some((name.to_owned(), value.map(str::to_owned), item.line)).filter(|_| !name.contains('$'))
            });
            let map = node.entries().into_iter().take(ITEMS).filter_map(|(name, value)| {
                let value = value.text().filter(|_| !value.is_null());
                Some((name.text()?.to_owned(), value.map(str::to_owned), name.line))
            });
            for (name, value, line) in list.chain(map) {
                let variable = Variable { name: name.clone(), value, line };
                if let Some(known) = at.get(&name).and_then(|at| container.environment.get_mut(*at)) {
                    *known = variable;
                } else {
                    at.insert(name, container.environment.len());
                    container.environment.push(variable);
                }
            }
        }
    }

    /// What stands in the place of `ENTRYPOINT` and `CMD`.
    pub(super) fn words(&self, container: &mut Container) {
        let words = |key: &str| {
            let node = self.at(&[key])?;
            let words = match node.raw() {
                Some(text) => split(text),
                None => node.items().iter().filter_map(|word| Some(word.raw()?.to_owned())).collect(),
            };
            Some((words, node.line))
        };
        (container.entrypoint, container.cmd) = (words("entrypoint"), words("command"));
    }
}

/// The words of a line as a shell takes them apart. No shell is run: nothing else in it has a meaning.
fn split(text: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match (quote, letter) {
            (None, ' ' | '\t' | '\n' | '\r') => words.extend(word.take()),
            (None, '\'' | '"') => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            (Some(open), _) if open == letter => quote = None,
            (None | Some('"'), '\\') => word.get_or_insert_default().extend(letters.next()),
            _ => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_taken_apart_by_its_quotes() {
        assert_eq!(split("a  --b='' \"c d\"e \\\"f"), ["a", "--b=", "c de", "\"f"]);
        assert_eq!(split("x ''\n y"), ["x", "", "y"]);
        assert!(split(" ").is_empty());
    }
}
