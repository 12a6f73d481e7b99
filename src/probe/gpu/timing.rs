//! How large and how often to multiply, how work is timed, and what the measured times say.

use crate::facts::{Fact, GapKind};
use crate::world::library::CallFailed;
use crate::world::library::cuda_runtime::CudaRuntime;

/// Sizes that are timed, smallest first: powers of two, which every library has its best code for.
const SIZES: [usize; 4] = [1024, 2048, 4096, 8192];

/// Device time that one multiply should take at most, in milliseconds: long enough that starting it does not
/// count, short enough that several fit.
const LONGEST_MS: f64 = 3.0;

/// Device time that is spent before measuring, so that clocks have risen, in milliseconds.
const WARM_UP_MS: f64 = 12.0;

/// Device time that the measured multiplies should take together, in milliseconds.
const MEASURED_MS: f64 = 24.0;

/// Copies that are timed, after one that is not.
const COPIES: usize = 5;

/// Floating-point operations of one square multiply.
pub fn operations(size: usize) -> f64 {
    2.0 * (size as f64).powi(3)
}

/// The size to time, from a multiply of so many rows that took so long, where `fits` says whether there is memory for a
/// size; `least` where none is short enough. The rate of small multiplies is low, so this errs towards a shorter time.
pub fn size((rows, ms): (usize, f64), least: usize, fits: impl Fn(usize) -> bool) -> usize {
    let rate = operations(rows) / ms.max(1e-6);
    let short = |size: &usize| operations(*size) / rate <= LONGEST_MS && fits(*size);
    SIZES.iter().copied().rev().find(short).unwrap_or(least.min(rows))
}

/// The size to time first on a GPU that multiplies at this rate, in 10^12 operations a second.
pub fn likely_size(tflops: f64, fits: impl Fn(usize) -> bool) -> Option<usize> {
    let short = |size: &usize| operations(*size) / tflops.max(1e-6) / 1e9 <= LONGEST_MS && fits(*size);
    SIZES.iter().copied().rev().find(short)
}

/// How many multiplies to warm up with and how many to measure, when one takes about `one_ms`.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to a few dozen")]
pub fn counts(one_ms: f64) -> (usize, usize) {
    let of = |total: f64, least: f64, most: f64| (total / one_ms.max(1e-6)).clamp(least, most) as usize;
    (of(WARM_UP_MS, 2.0, 40.0), of(MEASURED_MS, 5.0, 15.0))
}

/// Device times in milliseconds of so many pieces of work. Each is queued while the one before it still runs, so that the
/// time that it takes to start them stays out.
pub fn device_times(
    runtime: &CudaRuntime,
    count: usize,
    mut work: impl FnMut(usize) -> Result<(), CallFailed>,
) -> Result<Vec<f64>, CallFailed> {
    let events = (0..=count).map(|_| runtime.event()).collect::<Result<Vec<_>, _>>()?;
    for (index, event) in events.iter().enumerate() {
        if index > 0 {
            work(index - 1)?;
        }
        runtime.record(event)?;
    }
    runtime.synchronize()?;
    let pairs = events.iter().zip(events.iter().skip(1));
    let times = pairs.map(|(from, to)| runtime.elapsed_ms(from, to)).collect::<Result<Vec<_>, _>>()?;
    events.into_iter().try_for_each(|event| runtime.destroy(event))?;
    Ok(times)
}

/// Median, and slowest minus fastest as a share of it; `None` when no time is usable.
pub fn summary(times_ms: &[f64]) -> Option<(f64, f64)> {
    let mut sorted: Vec<f64> = times_ms.iter().copied().filter(|time| time.is_finite() && *time > 0.0).collect();
    sorted.sort_by(f64::total_cmp);
    let (fastest, slowest) = (sorted.first()?, sorted.last()?);
    let median = sorted.get(sorted.len() / 2)?;
    Some((*median, (slowest - fastest) / median))
}

/// Rate in 10^12 operations per second.
pub fn tflops(size: usize, one_ms: f64) -> f64 {
    operations(size) / one_ms / 1e9
}

/// The rate of a copy that moves so many bytes, in 10^9 bytes a second: the median of some.
pub fn copy_rate(
    runtime: &CudaRuntime,
    moved: usize,
    mut copy: impl FnMut() -> Result<(), CallFailed>,
) -> Result<Fact<f64>, CallFailed> {
    // The first copy warms up.
    let times = device_times(runtime, COPIES + 1, |_| copy())?;
    Ok(match summary(times.get(1..).unwrap_or_default()) {
        Some((median_ms, _)) => Fact::Known(moved as f64 / median_ms / 1e6),
        None => Fact::unknown(GapKind::Malformed, "cudaEventElapsedTime: no usable time"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fast_gpu_gets_large_matrices_and_a_slow_one_small_ones() {
        let at = |tflops: f64| size((1024, operations(1024) / tflops / 1e9), 1024, |_| true);
        assert_eq!(at(700.0), 8192);
        assert_eq!(at(50.0), 4096);
        assert_eq!(at(8.0), 2048);
        assert_eq!(at(0.1), 1024, "nothing fits the time: what was proved is timed");
    }

    #[test]
    fn memory_bounds_the_size() {
        assert_eq!(size((512, 0.001), 512, |size| size <= 2048), 2048);
        assert_eq!(size((512, 0.001), 512, |_| false), 512);
        assert_eq!(size((8192, 2000.0), 512, |_| true), 512, "a guess that is far too large is given up");
    }

    #[test]
    fn one_outlier_does_not_move_the_median() {
        let (median, spread) = summary(&[1.0, 1.1, 9.0, 1.0, 1.0]).expect("times");
        assert!((median - 1.0).abs() < 1e-9 && (spread - 8.0).abs() < 1e-9, "{median} {spread}");
        assert_eq!(summary(&[]), None);
        assert_eq!(summary(&[f64::NAN, 0.0, -1.0]), None);
    }

    #[test]
    fn the_rate_of_an_h200_is_computed_right() {
        assert!((tflops(8192, 1.5) - 733.0).abs() < 1.0);
    }

    #[test]
    fn slow_multiplies_are_repeated_less() {
        assert_eq!(counts(100.0), (2, 5));
        assert_eq!(counts(1.0), (12, 15));
    }
}
