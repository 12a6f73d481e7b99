//! Which of NVML's GPUs a multiply ran on.
//!
//! CUDA and NVML number GPUs each in its own way, so a multiply and a GPU are joined by their PCI address; where that
//! could not be had, only where there is no choice.

use std::collections::HashMap;
use std::hash::Hash;

use crate::facts::{Fact, Facts, Gpu, Multiply};

/// NVML's GPUs, made ready for being asked.
pub struct Boards<'a> {
    gpus: Fact<&'a [Gpu]>,
    join: Join<'a>,
}

/// What tells which GPU it was.
enum Join<'a> {
    /// Every GPU has an address. The others serve a multiply that has none.
    Address(HashMap<Address, &'a Gpu>, Box<Join<'a>>),
    /// There is one.
    Only(&'a Gpu),
    /// All are of one model and none is hidden.
    Number(HashMap<u32, &'a Gpu>),
    Nothing,
}

/// Domain, bus and device.
type Address = (u32, u32, u32);

impl<'a> Boards<'a> {
    /// The GPUs of these facts.
    pub fn of(facts: &'a Facts) -> Self {
        let gpus = facts.gpus.as_ref().map(Vec::as_slice);
        let all = gpus.known().copied().unwrap_or_default();
        let same = all.windows(2).all(|pair| pair[0].name == pair[1].name);
        let without = match all {
            [only] => Join::Only(only),
            all if same && facts.environment.cuda_visible_count.is_absent() => {
                Join::Number(first_of_each(all.iter().map(|gpu| (gpu.index, gpu))))
            }
            _ => Join::Nothing,
        };
        let addresses: Option<Vec<Address>> =
            all.iter().map(|gpu| gpu.pci_address.known().and_then(|words| address(words))).collect();
        let join = match addresses {
            Some(addresses) => Join::Address(first_of_each(addresses.into_iter().zip(all)), Box::new(without)),
            None => without,
        };
        Self { gpus, join }
    }

    /// The GPU that this multiply ran on; absent where it cannot be told.
    pub fn under(&self, multiply: &Multiply) -> Fact<&'a Gpu> {
        let place = multiply.pci_address.known().and_then(|words| address(words));
        self.gpus.as_ref().and_then(|_| Fact::present(self.join.find(place, multiply.gpu)))
    }
}

impl<'a> Join<'a> {
    fn find(&self, place: Option<Address>, number: u32) -> Option<&'a Gpu> {
        match (self, place) {
            (Self::Address(at, _), Some(place)) => at.get(&place).copied(),
            (Self::Address(_, without), None) => without.find(None, number),
            (Self::Only(gpu), _) => Some(gpu),
            (Self::Number(at), _) => at.get(&number).copied(),
            (Self::Nothing, _) => None,
        }
    }
}

/// NVML writes `00000000:1B:00.0` and CUDA `0000:1b:00.0`.
fn address(words: &str) -> Option<Address> {
    let mut parts = words.split([':', '.']).map(|part| u32::from_str_radix(part, 16).ok());
    Some((parts.next()??, parts.next()??, parts.next()??))
}

/// A map in which the first of several with one key stays.
pub fn first_of_each<K: Eq + Hash, V>(pairs: impl Iterator<Item = (K, V)>) -> HashMap<K, V> {
    let mut map = HashMap::new();
    for (key, value) in pairs {
        map.entry(key).or_insert(value);
    }
    map
}
