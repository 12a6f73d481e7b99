//! What a child says on its pipe.

use std::fs::File;
use std::io::Read;
use std::time::Instant;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Line;
use super::ended::Ended;
use crate::facts::{Gap, Gaps};

/// What has been heard of a child.
pub struct Transcript {
    buffer: Vec<u8>,
    heard: usize,
    limit: usize,
    pub closed: bool,
    pub at: Option<String>,
    pub last_heard: Option<Instant>,
    cannot_begin: Option<i32>,
    so_far: Option<Value>,
    done: Option<Value>,
    too_early: bool,
    /// What it told and nobody has taken yet.
    pub told: Vec<Value>,
}

impl Transcript {
    /// Of a child that may send so many bytes at once.
    pub fn new(limit: usize) -> Self {
        Self {
            buffer: Vec::new(),
            heard: 0,
            limit,
            closed: false,
            at: None,
            last_heard: None,
            cannot_begin: None,
            so_far: None,
            done: None,
            too_early: false,
            told: Vec::new(),
        }
    }

    /// Takes what is in the pipe now; how it ended, when that settles it.
    pub fn hear(&mut self, mut pipe: &File) -> Option<Ended> {
        while !self.closed {
            let mut chunk = [0_u8; 16 << 10];
            match pipe.read(&mut chunk) {
                Ok(0) => self.closed = true,
                Ok(count) => self.take(&chunk[..count]),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(_) => break,
            }
            if let Some(errno) = self.cannot_begin {
                return Some(Ended::NotStarted(std::io::Error::from_raw_os_error(errno)));
            }
            if self.done.is_some() {
                return Some(Ended::Done);
            }
            if self.too_early {
                return Some(Ended::TooEarly);
            }
            if self.heard > self.limit {
                return Some(Ended::Flood);
            }
        }
        None
    }

    fn take(&mut self, bytes: &[u8]) {
        self.heard += bytes.len();
        self.last_heard = Some(Instant::now());
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.buffer.extend_from_slice(piece);
            if !piece.ends_with(b"\n") {
                continue;
            }
            let line = serde_json::from_slice(&self.buffer);
            if line.is_ok() {
                // A look of an hour has much to say.
                self.heard = 0;
            }
            match line {
                Ok(Line::CannotBegin(errno)) => self.cannot_begin = Some(errno),
                Ok(Line::At(call)) => self.at = Some(call),
                Ok(Line::SoFar(value)) => self.so_far = Some(value),
                Ok(Line::Told(value)) => self.told.push(value),
                Ok(Line::Done(value)) => self.done = Some(value),
                Ok(Line::TooEarly) => self.too_early = true,
                Err(_) => {} // not ours: a library found the descriptor
            }
            self.buffer.clear();
        }
    }

    /// Its answer, else what it had learnt until then, with the gap that says why the rest is missing.
    pub fn answer<T: DeserializeOwned + Gaps>(self, gap: Option<&Gap>) -> Option<T> {
        let mut answer: T = serde_json::from_value(self.done.or(self.so_far)?).ok()?;
        if let Some(gap) = gap {
            answer.fill_gaps(gap);
        }
        Some(answer)
    }
}
