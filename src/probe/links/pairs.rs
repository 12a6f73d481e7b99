//! Copies from one GPU to another, in a child: checked at the receiver, then timed.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Input, Reading};
use crate::facts::{Fact, Failure, Pair, Proof};
use crate::probe::gpu::timing::copy_rate;
use crate::probe::note_failure;
use crate::world::World;
use crate::world::child::Progress;
use crate::world::library::CallFailed;
use crate::world::library::cuda_runtime::{CudaRuntime, DeviceMemory, DeviceSlice, OUT_OF_MEMORY};
use gpu_preflight_arithmetic::Random;
use gpu_preflight_arithmetic::bytes::{difference, random_bytes};

/// The call that copies from one GPU to the other.
pub(super) const COPY: &str = "cudaMemcpyPeer";

/// Bytes of one copy.
const BYTES: usize = 32 << 20;
/// The fewest that are worth a copy, where little memory is free.
const BYTES_MIN: usize = 1 << 20;

/// With this much free memory a GPU that refuses some is broken.
const FREE_MIN: usize = 256 << 20;

/// The child's side of the probe.
pub fn serve(_world: &World, input: Value, progress: &mut Progress) -> Result<(), serde_json::Error> {
    let input: Input = serde_json::from_value(input)?;
    let mut told = Reading::default();
    progress.at("dlopen libcudart");
    let Ok(runtime) = CudaRuntime::open(&input.cudart) else {
        progress.done(&told);
        return Ok(());
    };
    let mut random = Random::fresh();
    let mut copier = Copier {
        // Each pair sends other bytes, or what an earlier pair left behind would do.
        bytes: random_bytes(BYTES + input.pairs.len(), &mut random),
        back: vec![0; BYTES],
        runtime: &runtime,
        memories: BTreeMap::new(),
        progress,
    };
    for (index, [from, to]) in input.pairs.into_iter().enumerate() {
        let mut pair = Pair { from, to, ..Pair::default() };
        let outcome = copier.copy(&mut pair, index);
        match &outcome {
            Ok(()) => pair.failure = Fact::Absent,
            Err((gpu, failed)) => {
                let on_gpu = |failure: Failure| Failure { call: format!("{} on GPU {gpu}", failed.call), ..failure };
                pair.failure = note_failure(&mut pair, failed).map(on_gpu);
            }
        }
        pair.memory_short = Fact::Known(outcome.as_ref().is_err_and(|(_, failed)| copier.is_short_of_memory(failed)));
        told.pairs.push(pair);
        if outcome.is_err() {
            // After some errors every call of this process fails. Another one goes on.
            break;
        }
        copier.progress.so_far(&told);
    }
    copier.progress.done(&told);
    Ok(())
}

/// What it copies with: memory on every GPU that it has come to, in two halves to send from and to receive in.
struct Copier<'a> {
    runtime: &'a CudaRuntime,
    memories: BTreeMap<u32, DeviceMemory>,
    bytes: Vec<u8>,
    back: Vec<u8>,
    progress: &'a mut Progress,
}

/// A call that failed, and on which GPU.
type Failed = (u32, CallFailed);

impl Copier<'_> {
    fn copy(&mut self, pair: &mut Pair, index: usize) -> Result<(), Failed> {
        let (from, to) = (pair.from, pair.to);
        self.come_to(to)?;
        self.come_to(from)?;
        let Self { runtime, memories, bytes: random, back, progress } = self;
        let half = |gpu: u32| memories.get(&gpu).map_or(0, |memory| memory.bytes() / 2);
        let bytes = half(from).min(half(to));
        let (sender, receiver) = (number(from), number(to));
        let on = |gpu: u32| move |failed: CallFailed| (gpu, failed);
        let (source, target) = (slice(memories, from, 0, bytes)?, slice(memories, to, 1, bytes)?);
        let sent = random.get(index..index + bytes).unwrap_or_default();
        let back = back.get_mut(..bytes).unwrap_or_default();

        progress.at(&format!("cudaDeviceCanAccessPeer on GPU {from} for GPU {to}"));
        let direct = runtime.can_access_peer(sender, receiver).map_err(on(from))?;
        pair.peer_access = Fact::Known(direct);
        if direct {
            // Either of the two may be the one that moves the bytes.
            progress.at(&format!("cudaDeviceEnablePeerAccess on GPU {from} for GPU {to}"));
            let there = runtime.enable_peer_access(receiver).map_err(on(from))?;
            runtime.set_device(receiver).map_err(on(to))?;
            let back = runtime.enable_peer_access(sender).map_err(on(to))?;
            runtime.set_device(sender).map_err(on(from))?;
            pair.peer_access = Fact::Known(there && back);
        }
        progress.at(&format!("cudaMemcpy on GPU {from}"));
        runtime.upload(sent, source).map_err(on(from))?;
        // Bytes that nobody writes cannot pass.
        runtime.set_device(receiver).map_err(on(to))?;
        runtime.fill(target, !sent.first().copied().unwrap_or_default()).map_err(on(to))?;
        runtime.synchronize().map_err(on(to))?;

        progress.at(&format!("{COPY} from GPU {from} to GPU {to}"));
        runtime.set_device(sender).map_err(on(from))?;
        runtime.copy_between((sender, source), (receiver, target)).map_err(on(from))?;
        runtime.synchronize().map_err(on(from))?;
        runtime.set_device(receiver).map_err(on(to))?;
        runtime.download(target, back).map_err(on(to))?;
        let wrong = difference(sent, back, 0);
        pair.copied = Fact::Known(if wrong.is_none() { Proof::Exact } else { Proof::Wrong });
        pair.copied_detail = Fact::present(wrong);

        runtime.set_device(sender).map_err(on(from))?;
        let timed = copy_rate(runtime, bytes, || runtime.copy_between((sender, source), (receiver, target)));
        pair.gb_per_second = timed.map_err(on(from))?;
        pair.copy_bytes = Fact::Known(bytes as u64);
        Ok(())
    }

    /// Whether a call failed because somebody else has the memory. Where there is no room for a context nobody can say how
    /// much is free.
    fn is_short_of_memory(&self, failed: &CallFailed) -> bool {
        let has_none =
            || failed.call == "cudaSetDevice" || self.runtime.memory().map_or(true, |(free, _)| free < FREE_MIN);
        failed.code == Some(OUT_OF_MEMORY) && has_none()
    }

    /// Makes a GPU the current one, with memory on it.
    fn come_to(&mut self, gpu: u32) -> Result<(), Failed> {
        let on = |failed: CallFailed| (gpu, failed);
        self.progress.at(&format!("cudaSetDevice on GPU {gpu}"));
        self.runtime.set_device(number(gpu)).map_err(on)?;
        if !self.memories.contains_key(&gpu) {
            let (free, _) = self.runtime.memory().map_err(on)?;
            let half = (free / 8).clamp(BYTES_MIN, BYTES) & !0xff;
            self.memories.insert(gpu, self.runtime.allocate(2 * half).map_err(on)?);
        }
        Ok(())
    }
}

fn slice(
    memories: &BTreeMap<u32, DeviceMemory>,
    gpu: u32,
    half: usize,
    bytes: usize,
) -> Result<DeviceSlice<'_>, Failed> {
    let outside = || (gpu, CallFailed { call: "cudaMalloc", code: None, detail: "no room for a copy".to_owned() });
    let memory = memories.get(&gpu);
    memory.and_then(|memory| memory.slice(half * (memory.bytes() / 2), bytes)).ok_or_else(outside)
}

fn number(gpu: u32) -> i32 {
    i32::try_from(gpu).unwrap_or(i32::MAX)
}
