//! From text to a tree. No names are looked up here.

use super::sign::{Comparison, Connective, Function};
use super::tree::{Expr, Node};
use super::{Mistake, foreign};

/// Bytes that an expression may have; longer ones are no longer one line.
const LENGTH_LIMIT: usize = 2048;
/// How deep an expression may nest, so that no input can exhaust the stack.
const DEPTH_LIMIT: usize = 48;

/// Reads one whole expression.
pub fn parse(text: &str) -> Result<Expr, Mistake> {
    if text.len() > LENGTH_LIMIT {
        return Err(Mistake::new(0, format!("the expression is longer than {LENGTH_LIMIT} bytes")));
    }
    let mut parser = Parser { text, at: 0, depth: 0 };
    let expr = parser.either()?;
    parser.skip_space();
    if parser.at < text.len() {
        return Err(parser.unexpected("the end"));
    }
    Ok(expr)
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn skip_space(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    fn accept(&mut self, sign: &str) -> bool {
        self.skip_space();
        let found = self.rest().starts_with(sign);
        if found {
            self.at += sign.len();
        }
        found
    }

    fn require(&mut self, sign: &str) -> Result<(), Mistake> {
        if self.accept(sign) { Ok(()) } else { Err(self.unexpected(&format!("`{sign}`"))) }
    }

    fn unexpected(&self, wanted: &str) -> Mistake {
        if let Some(answer) = foreign::sign(&self.text[..self.at], self.rest()) {
            return Mistake::new(self.at, answer);
        }
        let found = self.rest().chars().next().map_or("the end".to_owned(), |c| format!("`{}`", c.escape_default()));
        Mistake::new(self.at, format!("expected {wanted}, found {found}"))
    }

    fn either(&mut self) -> Result<Expr, Mistake> {
        self.depth += 1;
        if self.depth > DEPTH_LIMIT {
            return Err(Mistake::new(self.at, "the expression nests too deeply"));
        }
        let mut left = self.both()?;
        while self.accept(Connective::Or.as_str()) {
            let right = self.both()?;
            left = Expr { at: left.at, node: Node::Or(Box::new(left), Box::new(right)) };
        }
        self.depth -= 1;
        Ok(left)
    }

    fn both(&mut self) -> Result<Expr, Mistake> {
        let mut left = self.relation()?;
        while self.accept(Connective::And.as_str()) {
            let right = self.relation()?;
            left = Expr { at: left.at, node: Node::And(Box::new(left), Box::new(right)) };
        }
        Ok(left)
    }

    fn relation(&mut self) -> Result<Expr, Mistake> {
        let mut left = self.unary()?;
        loop {
            let at = left.at;
            if let Some(comparison) = Comparison::ALL.iter().find(|sign| self.accept(sign.as_str())) {
                let right = self.unary()?;
                left = Expr { at, node: Node::Compare(*comparison, Box::new(left), Box::new(right)) };
            } else if self.accept_word(Connective::In.as_str()) {
                let right = self.unary()?;
                left = Expr { at, node: Node::In(Box::new(left), Box::new(right)) };
            } else {
                return Ok(left);
            }
        }
    }

    fn unary(&mut self) -> Result<Expr, Mistake> {
        self.skip_space();
        let at = self.at;
        if !self.rest().starts_with(Comparison::Unequal.as_str()) && self.accept(Connective::Not.as_str()) {
            self.depth += 1;
            if self.depth > DEPTH_LIMIT {
                return Err(Mistake::new(at, "the expression nests too deeply"));
            }
            let inner = self.unary()?;
            self.depth -= 1;
            return Ok(Expr { at, node: Node::Not(Box::new(inner)) });
        }
        self.primary()
    }

    fn primary(&mut self) -> Result<Expr, Mistake> {
        self.skip_space();
        let at = self.at;
        match self.rest().chars().next() {
            Some('(') => {
                self.at += 1;
                let inner = self.either()?;
                self.require(")")?;
                Ok(Expr { at, node: inner.node })
            }
            Some('[') => {
                self.at += 1;
                Ok(Expr { at, node: Node::List(self.items()?) })
            }
            Some(quote @ ('\'' | '"')) => Ok(Expr { at, node: Node::Text(self.quoted(quote)?) }),
            Some(c) if c.is_ascii_digit() || c == '-' => self.number(),
            Some(c) if c.is_ascii_alphabetic() || c == '_' => self.named(),
            _ => Err(self.unexpected("a value")),
        }
    }

    fn items(&mut self) -> Result<Vec<Expr>, Mistake> {
        let mut items = Vec::new();
        while !self.accept("]") {
            if !items.is_empty() {
                self.require(",")?;
            }
            items.push(self.either()?);
        }
        Ok(items)
    }

    fn quoted(&mut self, quote: char) -> Result<String, Mistake> {
        let start = self.at;
        let body = &self.text[start + 1..];
        let Some(end) = body.find(quote) else { return Err(Mistake::new(start, "the text never ends")) };
        if body[..end].contains('\\') {
            return Err(Mistake::new(start, "text may not hold a backslash"));
        }
        self.at = start + end + 2;
        Ok(body[..end].to_owned())
    }

    fn number(&mut self) -> Result<Expr, Mistake> {
        let at = self.at;
        let length =
            self.rest().find(|c: char| !c.is_ascii_digit() && c != '.' && c != '-').unwrap_or(self.rest().len());
        let digits = &self.rest()[..length];
        let node = if digits.contains('.') {
            digits.parse().map(Node::Float).map_err(|_| Mistake::new(at, format!("`{digits}` is no number")))?
        } else {
            digits.parse().map(Node::Integer).map_err(|_| Mistake::new(at, format!("`{digits}` is no number")))?
        };
        self.at += length;
        Ok(Expr { at, node })
    }

    fn word(&mut self) -> &'a str {
        let rest = self.rest();
        let length = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    fn accept_word(&mut self, wanted: &str) -> bool {
        self.skip_space();
        let before = self.at;
        if self.word() == wanted {
            return true;
        }
        self.at = before;
        false
    }

    fn named(&mut self) -> Result<Expr, Mistake> {
        let at = self.at;
        let first = self.word();
        match first {
            "true" => return Ok(Expr { at, node: Node::Bool(true) }),
            "false" => return Ok(Expr { at, node: Node::Bool(false) }),
            _ => {}
        }
        if let Some(function @ (Function::Size | Function::Has | Function::Version)) = Function::named(first)
            && self.accept("(")
        {
            let inner = Box::new(self.either()?);
            self.require(")")?;
            let node = match function {
                Function::Size => Node::Size(inner),
                Function::Version => Node::Version(inner),
                _ if matches!(inner.node, Node::Path(_)) => Node::Has(inner),
                _ => return Err(Mistake::new(inner.at, "`has` asks about a path")),
            };
            return Ok(Expr { at, node });
        }
        let mut path = vec![first.to_owned()];
        while self.accept(".") {
            self.skip_space();
            let before = self.at;
            let name = self.word();
            if name.is_empty() {
                return Err(self.unexpected("a name"));
            }
            if self.accept("(") {
                return self.every(at, path, name, before);
            }
            path.push(name.to_owned());
        }
        if self.accept("(") {
            return Err(Mistake::new(at, foreign::function(first)));
        }
        Ok(Expr { at, node: Node::Path(path) })
    }

    fn every(&mut self, at: usize, path: Vec<String>, function: &str, function_at: usize) -> Result<Expr, Mistake> {
        let all = match Function::named(function) {
            Some(Function::All) => true,
            Some(Function::Exists) => false,
            _ => return Err(Mistake::new(function_at, foreign::function(function))),
        };
        self.skip_space();
        let name = self.word().to_owned();
        if name.is_empty() {
            return Err(self.unexpected("a name for the item"));
        }
        self.require(",")?;
        let condition = Box::new(self.either()?);
        self.require(")")?;
        let list = Box::new(Expr { at, node: Node::Path(path) });
        Ok(Expr { at, node: Node::Every { all, list, name, condition } })
    }
}

#[cfg(test)]
#[path = "parse_tests.rs"]
mod tests;
