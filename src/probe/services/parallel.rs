//! Asking many listeners at the same time.

use crate::world::spawn_or_run;

/// Listeners that are asked at the same time.
pub const WIDTH: usize = 16;

/// Runs `ask` on every item, at most `width` at a time, and gives the answers in order. Where no thread can be had they
/// are asked one after the other.
pub fn in_parallel<T: Sync, R: Send>(items: &[T], width: usize, ask: impl Fn(&T) -> R + Sync) -> Vec<R> {
    if let [only] = items {
        return vec![ask(only)];
    }
    let mut answers = Vec::with_capacity(items.len());
    for chunk in items.chunks(width.max(1)) {
        std::thread::scope(|scope| {
            let ask = &ask;
            // Where no thread can be had the item is asked at once.
            let running: Vec<_> = chunk.iter().map(|item| spawn_or_run(scope, move || ask(item))).collect();
            // A bug of ours goes on to whoever runs this probe.
            let told =
                running.into_iter().map(|one| one.join().unwrap_or_else(|| panic!("asking a listener panicked")));
            answers.extend(told);
        });
    }
    answers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_come_in_the_order_of_the_questions_however_wide() {
        let items: Vec<u32> = (0..40).collect();
        let doubled: Vec<u32> = items.iter().map(|item| item * 2).collect();
        for width in [0, 1, 16, 64] {
            assert_eq!(in_parallel(&items, width, |item| item * 2), doubled, "{width}");
        }
    }
}
