//! What a child works with on its GPU: libraries, handles and memory, and how they multiply and copy.
//!
//! Memory is one allocation of at most a quarter of what is free.

use gpu_preflight_arithmetic::Element;
use serde::{Deserialize, Serialize};

use super::precision::{Recipe, Route};
use super::session::Session;
use crate::facts::{Fact, GapKind, Multiply};
use crate::world::library::cublas::{Arithmetic, Cublas, Handle};
use crate::world::library::cublas_lt::{CublasLt, LtHandle, Plan};
use crate::world::library::cuda_driver::CudaDriver;
use crate::world::library::cuda_runtime::{Attribute, CudaRuntime, DeviceMemory, DeviceSlice};
use crate::world::library::{CallFailed, Library, mapped_files};

/// Rows and columns of the first proof, which also warms the library up: there is room for them, or no bench is made.
pub const FIRST_SIZE: usize = 256;

/// The largest size that is timed; more memory than it needs is not asked for.
const LARGEST_SIZE: usize = 8192;

/// Matrices that are used in turn take more than the largest cache that a GPU has, 126 MB.
const BEYOND_CACHES: usize = 256 << 20;

/// What cuBLASLt may work in; PyTorch gives it as much.
const WORKSPACE_BYTES: usize = 32 << 20;

/// Which GPU it is, and the libraries to work on it with, by their paths.
#[derive(Debug, Serialize, Deserialize)]
pub struct Place {
    pub ordinal: u32,
    pub cudart: String,
    pub cublas: String,
    /// The cuBLASLt that the workload loads before cuBLAS, which then gets this one and fetches none of its own.
    pub cublas_lt_first: Option<String>,
    /// Whether it is not known yet who else is on the GPU: no context is made before it is.
    pub waits_at_gate: bool,
}

/// What it works with: libraries, handles, memory in three equal parts for A, B and C.
pub struct Bench {
    pub runtime: CudaRuntime,
    pub cublas: Cublas,
    pub handle: Handle,
    /// cuBLASLt, where it is beside cuBLAS and gives out a handle.
    lt: Option<(CublasLt, LtHandle)>,
    memory: DeviceMemory,
    part_bytes: usize,
    capability: Option<(i32, i32)>,
}

impl Bench {
    /// Opens and makes all of it, and writes down on the way what the GPU is.
    pub fn make(place: &Place, about: &mut Multiply, session: &mut Session<'_>) -> Result<Self, CallFailed> {
        let unloadable = |call, words: String| CallFailed { call, code: None, detail: words };
        let ordinal = i32::try_from(place.ordinal).unwrap_or(i32::MAX);
        session.at("dlopen libcudart");
        let runtime = CudaRuntime::open(&place.cudart).map_err(|words| unloadable("dlopen libcudart", words))?;
        if let Some(path) = &place.cublas_lt_first {
            session.at("dlopen libcublasLt");
            // What the loader says of it the libraries' own child tells; cuBLAS then fetches what it finds, as there.
            let _ = Library::open(path);
        }
        session.at("dlopen libcublas");
        let cublas = Cublas::open(&place.cublas).map_err(|words| unloadable("dlopen libcublas", words))?;
        session.at("cudaGetDeviceCount");
        let counted = runtime.device_count();
        if place.waits_at_gate {
            if counted.is_err() {
                // A runtime does not forget that, so another one is asked when it is time.
                session.too_early();
            }
            session.wait_at_gate();
        }
        // What was not counted cannot be set either, which says it better.
        session.at("cudaSetDevice");
        runtime.set_device(ordinal)?;
        session.at("cudaMemGetInfo");
        let (free, _) = runtime.memory()?;
        about.memory_free_bytes = Fact::Known(free as u64);
        session.at("cudaDeviceGetAttribute");
        let capability = describe(&runtime, ordinal, about);
        session.at("cublasCreate_v2");
        let handle = cublas.create()?;
        session.at("cudaMalloc");
        let (memory, part_bytes) = allocate(&runtime, free).inspect_err(|_| {
            // Somebody may have taken it meanwhile; a GPU that refuses what it has is broken and not full.
            about.memory_free_bytes =
                runtime.memory().map_or(Fact::Known(free as u64), |(now, _)| Fact::Known(now as u64));
        })?;
        about.memory_short = Fact::Known(false);
        let lt = open_lt(session);
        Ok(Self { runtime, cublas, handle, lt, memory, part_bytes, capability })
    }

    pub fn give_back(self, session: &mut Session<'_>) {
        // A failure here is no reading: the process ends with it and the driver takes all back.
        session.at("cublasDestroy_v2");
        let _ = self.cublas.destroy(self.handle);
        if let Some((lt, handle)) = self.lt {
            session.at("cublasLtDestroy");
            let _ = lt.destroy(handle);
        }
        session.at("cudaFree");
        let _ = self.runtime.free(self.memory);
    }

    /// Bytes of each part of the memory.
    pub fn part_bytes(&self) -> usize {
        self.part_bytes
    }

    /// The beginnings of two parts.
    pub fn two(&self, bytes: usize) -> Result<[DeviceSlice<'_>; 2], CallFailed> {
        match (self.memory.slice(0, bytes), self.memory.slice(self.part_bytes, bytes)) {
            (Some(one), Some(other)) if bytes <= self.part_bytes => Ok([one, other]),
            _ => Err(CallFailed { call: "cudaMalloc", code: None, detail: format!("no room for {bytes} bytes") }),
        }
    }

    /// Its compute capability.
    pub fn capability(&self) -> Option<(i32, i32)> {
        self.capability
    }

    /// Whether there is a cuBLASLt to multiply with.
    pub fn has_lt(&self) -> bool {
        self.lt.is_some()
    }

    /// Whether matrices of this size have room.
    pub fn fits(&self, size: usize, element: Element) -> bool {
        size * size * element.bytes().max(element.output().bytes()) <= self.part_bytes
    }

    /// How many sets of matrices of this size are used in turn: as many as no cache holds, or as have room.
    pub fn sets(&self, size: usize, element: Element) -> usize {
        let set = size * size * (2 * element.bytes() + element.output().bytes());
        let room = self.part_bytes / (size * size * element.bytes().max(element.output().bytes())).max(1);
        BEYOND_CACHES.div_ceil(set.max(1)).clamp(1, room.max(1))
    }

    /// A, B and C of this size, of one set.
    pub fn matrices(&self, size: usize, element: Element, set: usize) -> Result<[DeviceSlice<'_>; 3], CallFailed> {
        let (operand, output) = (size * size * element.bytes(), size * size * element.output().bytes());
        let part = |index: usize, bytes: usize| self.memory.slice(index * self.part_bytes + set * bytes, bytes);
        let has_room = self.fits(size, element) && set < self.sets(size, element);
        match (part(0, operand), part(1, operand), part(2, output)) {
            (Some(a), Some(b), Some(c)) if has_room => Ok([a, b, c]),
            _ => Err(CallFailed { call: "cudaMalloc", code: None, detail: format!("no room for {size} rows") }),
        }
    }

    /// Fills A and B of all sets with copies of a block, doubled on the device.
    pub fn scatter(&self, block: &[u8], size: usize, element: Element) -> Result<(), CallFailed> {
        let total = self.sets(size, element) * size * size * element.bytes();
        for part in 0..2 {
            let slice = |from: usize, bytes: usize| {
                let outside = || CallFailed { call: "cudaMemcpy", code: None, detail: "outside the memory".to_owned() };
                self.memory.slice(part * self.part_bytes + from, bytes).ok_or_else(outside)
            };
            let mut filled = total.min(block.len());
            self.runtime.upload(block.get(..filled).unwrap_or_default(), slice(0, filled)?)?;
            while filled < total {
                let more = filled.min(total - filled);
                self.runtime.copy_on_device(slice(0, more)?, slice(filled, more)?)?;
                filled += more;
            }
        }
        Ok(())
    }

    /// Makes ready to multiply matrices of this size.
    pub fn multiplier(
        &self,
        recipe: Recipe,
        size: usize,
        session: &mut Session<'_>,
    ) -> Result<Multiplier<'_>, CallFailed> {
        let way = match (recipe.route, &self.lt) {
            (Route::Blas(arithmetic), _) => Way::Blas(arithmetic),
            (Route::Lt, Some((lt, handle))) => {
                session.at("cublasLtMatmulAlgoGetHeuristic");
                let workspace = self.workspace()?;
                Way::Lt(lt, handle, lt.plan(handle, recipe.element, size, workspace.bytes())?, workspace)
            }
            (Route::Lt, None) => {
                return Err(CallFailed { call: "cublasLtMatmul", code: None, detail: "no libcublasLt".to_owned() });
            }
        };
        Ok(Multiplier { bench: self, way, element: recipe.element, size })
    }

    /// The end of the part of A: operands of one byte leave it free, for what they lead to takes four.
    fn workspace(&self) -> Result<DeviceSlice<'_>, CallFailed> {
        let bytes = WORKSPACE_BYTES.min(self.part_bytes / 2) & !0xff;
        let outside = || CallFailed { call: "cudaMalloc", code: None, detail: "no room to work in".to_owned() };
        self.memory.slice(self.part_bytes - bytes, bytes).ok_or_else(outside)
    }
}

/// What multiplies matrices of one precision and size.
pub struct Multiplier<'bench> {
    bench: &'bench Bench,
    way: Way<'bench>,
    element: Element,
    size: usize,
}

enum Way<'bench> {
    Blas(Arithmetic),
    Lt(&'bench CublasLt, &'bench LtHandle, Plan<'bench>, DeviceSlice<'bench>),
}

impl Multiplier<'_> {
    /// The call that it makes.
    pub fn call(&self) -> &'static str {
        match self.way {
            Way::Blas(_) => "cublasGemmEx",
            Way::Lt(..) => "cublasLtMatmul",
        }
    }

    /// Queues the multiply of one set.
    pub fn multiply(&self, set: usize) -> Result<(), CallFailed> {
        let matrices = self.bench.matrices(self.size, self.element, set)?;
        match &self.way {
            Way::Blas(arithmetic) => {
                self.bench.cublas.multiply(&self.bench.handle, (self.element, *arithmetic), self.size, matrices)
            }
            Way::Lt(lt, handle, plan, workspace) => lt.multiply(handle, plan, matrices, *workspace),
        }
    }
}

/// The cuBLASLt that cuBLAS has brought along. Without one, or where it gives out no handle, two precisions are left out.
fn open_lt(session: &mut Session<'_>) -> Option<(CublasLt, LtHandle)> {
    session.at("dlopen libcublasLt");
    let path = mapped_files("libcublasLt").into_iter().next()?;
    let lt = CublasLt::open(&path.to_string_lossy()).ok()?;
    session.at("cublasLtCreate");
    let handle = lt.create().ok()?;
    Some((lt, handle))
}

/// Name, size and clock of the GPU; its compute capability when that could be read.
fn describe(runtime: &CudaRuntime, ordinal: i32, about: &mut Multiply) -> Option<(i32, i32)> {
    let positive = |attribute| match runtime.attribute(attribute, ordinal) {
        Ok(value) => u32::try_from(value)
            .map_or_else(|_| Fact::unknown(GapKind::Malformed, format!("{attribute:?}: {value}")), Fact::Known),
        Err(failed) => failed.unanswered(),
    };
    let driver = CudaDriver::open();
    let told =
        |ask: fn(&CudaDriver, i32) -> Result<String, CallFailed>| match driver.as_ref().map(|of| ask(of, ordinal)) {
            Ok(Ok(text)) => Fact::Known(text),
            Ok(Err(failed)) => failed.unanswered(),
            Err(words) => Fact::unknown(GapKind::NotSupported, words.clone()),
        };
    about.gpu_name = told(CudaDriver::device_name);
    about.pci_address = told(CudaDriver::pci_address);
    about.sm_count = positive(Attribute::SmCount);
    about.sm_clock_mhz = positive(Attribute::ClockKhz).map(|khz| khz / 1000);
    let major = runtime.attribute(Attribute::CapabilityMajor, ordinal);
    let minor = runtime.attribute(Attribute::CapabilityMinor, ordinal);
    match (major, minor) {
        (Ok(major), Ok(minor)) => {
            about.compute_capability = Fact::Known(format!("{major}.{minor}"));
            Some((major, minor))
        }
        (Err(failed), _) | (_, Err(failed)) => {
            about.compute_capability = failed.unanswered();
            None
        }
    }
}

/// One allocation for three matrices, at most a quarter of what is free, and the size of each part.
fn allocate(runtime: &CudaRuntime, free: usize) -> Result<(DeviceMemory, usize), CallFailed> {
    // The widest elements of a small matrix, the usual ones of a large one.
    let largest = LARGEST_SIZE * LARGEST_SIZE * Element::Float32.bytes();
    let least = FIRST_SIZE * FIRST_SIZE * Element::Float64.bytes();
    let mut part = (free / 4 / 3).min(largest) & !0xff;
    if part < least {
        return Err(CallFailed { call: "cudaMalloc", code: None, detail: format!("only {free} bytes are free") });
    }
    loop {
        match runtime.allocate(part * 3) {
            Ok(memory) => return Ok((memory, part)),
            // Free memory may lie in pieces, or somebody took it meanwhile.
            Err(_) if part / 2 >= least => part = (part / 2) & !0xff,
            Err(failed) => return Err(failed),
        }
    }
}
