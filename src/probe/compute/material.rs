//! What the precisions are multiplied with, made on another core while the GPU works.

use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, Instant};

use gpu_preflight_arithmetic::operands::{encode_integers, random_values, transposed};
use gpu_preflight_arithmetic::{Element, Operands, Random};

use crate::facts::Precision;
use crate::probe::gpu::bench::FIRST_SIZE;
use crate::probe::gpu::precision::{Recipe, Route, recipe};
use crate::world::thread;

/// Sizes of proofs that are made ahead: most end at the second.
const AHEAD: [usize; 2] = [FIRST_SIZE, 2 * FIRST_SIZE];

/// Random elements that are timed; a prime, so that their repetitions do not line up with columns.
const BLOCK: usize = 262_139;

/// Rows of the operands of a fingerprint. With another number all fingerprints would be others.
pub const FINGERPRINT_SIZE: usize = 512;

/// What the operands of a fingerprint grow from.
const FIXED_SEED: u64 = 1;

/// The operands of one proof, as numbers and as the device takes them.
pub struct Factors {
    pub operands: Operands,
    pub left: Vec<u8>,
    pub right: Vec<u8>,
    /// How long it took to make them.
    pub made_in: Duration,
}

impl Factors {
    fn make(size: usize, recipe: Recipe, random: &mut Random) -> Self {
        let started = Instant::now();
        let operands = Operands::new(size, recipe.range, random);
        let left = match recipe.route {
            Route::Blas(_) => encode_integers(&operands.a, recipe.element),
            Route::Lt => encode_integers(&transposed(&operands.a, size), recipe.element),
        };
        let right = encode_integers(&operands.b, recipe.element);
        Self { operands, left, right, made_in: started.elapsed() }
    }
}

/// What one precision is proven, compared and timed with.
pub struct Material {
    recipe: Recipe,
    factors: Vec<Factors>,
    fingerprint: Option<[Vec<u8>; 2]>,
    block: Option<Vec<u8>>,
}

impl Material {
    /// Nothing yet: all is made when it is asked for.
    pub fn none(precision: Precision) -> Self {
        Self { recipe: recipe(precision), factors: Vec::new(), fingerprint: None, block: None }
    }

    fn ahead(precision: Precision, random: &mut Random) -> Self {
        let recipe = recipe(precision);
        Self {
            recipe,
            factors: AHEAD.map(|size| Factors::make(size, recipe, random)).into(),
            fingerprint: Some(fixed(recipe.element)),
            block: Some(random_values(BLOCK, recipe.element, random)),
        }
    }

    /// Operands of a proof of this size.
    pub fn factors(&mut self, size: usize, random: &mut Random) -> Factors {
        match self.factors.iter().position(|factors| factors.operands.size == size) {
            Some(index) => self.factors.swap_remove(index),
            None => Factors::make(size, self.recipe, random),
        }
    }

    /// The operands of the fingerprint, which are the same on every machine.
    pub fn fingerprint(&mut self) -> [Vec<u8>; 2] {
        self.fingerprint.take().unwrap_or_else(|| fixed(self.recipe.element))
    }

    /// Random elements to time with.
    pub fn block(&mut self, random: &mut Random) -> Vec<u8> {
        self.block.take().unwrap_or_else(|| random_values(BLOCK, self.recipe.element, random))
    }
}

fn fixed(element: Element) -> [Vec<u8>; 2] {
    let mut fixed = Random::new(FIXED_SEED);
    [(); 2].map(|()| random_values(FINGERPRINT_SIZE * FINGERPRINT_SIZE, element, &mut fixed))
}

/// Makes the material of each precision while that of the one before is used.
pub struct Supply(Receiver<(Precision, Material)>);

impl Supply {
    /// Begins with the first. Where no thread can be had each is made when it is asked for.
    pub fn begin() -> Self {
        // One lies ready while the next is made.
        let (sender, receiver) = sync_channel(1);
        let make = move || {
            let mut random = Random::fresh();
            let all = Precision::ALL.iter().map(|precision| (*precision, Material::ahead(*precision, &mut random)));
            // Nobody takes what comes after a failure.
            let _ = all.map(|made| sender.send(made)).find(Result::is_err);
        };
        let _ = thread().spawn(make);
        Self(receiver)
    }

    /// The material of a precision; they are asked for in their order.
    pub fn of(&self, precision: Precision) -> Material {
        self.0.iter().find(|(made, _)| *made == precision).map_or_else(|| Material::none(precision), |(_, made)| made)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gpu_preflight_arithmetic::bytes::digest;

    #[test]
    fn what_is_made_ahead_is_what_would_be_made_when_it_is_asked_for() {
        let supply = Supply::begin();
        // A GPU does not have them all.
        for precision in [Precision::Float32, Precision::Float64, Precision::Float8, Precision::Float8] {
            let (mut ahead, mut later) = (supply.of(precision), Material::none(precision));
            let mut random = Random::new(7);
            assert_eq!(ahead.fingerprint(), later.fingerprint(), "{precision:?}");
            assert_eq!(ahead.block(&mut random).len(), later.block(&mut random).len(), "{precision:?}");
            for size in [256, 512, 1024] {
                let [one, other] = [&mut ahead, &mut later].map(|material| material.factors(size, &mut random));
                assert_eq!((one.operands.size, other.operands.size), (size, size));
                assert_eq!((one.left.len(), one.right.len()), (other.left.len(), other.right.len()));
                assert_eq!(one.operands.bound, other.operands.bound);
            }
        }
    }

    #[test]
    fn the_operands_of_a_fingerprint_never_change() {
        // Or recordings of two releases could not be compared.
        let [left, _] = fixed(Element::Float32);
        assert_eq!(digest(&left), 0xcbea_e9bc_0aad_8403);
    }

    #[test]
    fn the_left_operand_is_transposed_for_who_multiplies_by_the_transposed() {
        for (precision, is_transposed) in [(Precision::Int8, true), (Precision::Float32, false)] {
            let factors = Material::none(precision).factors(256, &mut Random::new(7));
            let plain = encode_integers(&factors.operands.a, recipe(precision).element);
            assert_eq!(factors.left != plain, is_transposed, "{precision:?}");
        }
    }
}
