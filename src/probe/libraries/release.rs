//! Of which release a file is, without loading it.
//!
//! cuBLAS cannot be asked: what `cublasGetProperty` gives is the release of the cuBLASLt that was loaded with it (seen:
//! cuBLAS 12.6.4 beside cuBLASLt 12.9.3 says 12.9.3).

use crate::facts::LibraryId;
use crate::probe::framework::packages::distributions;
use crate::probe::paths::base_name;
use crate::world::World;

/// The version in the name of the file, else that of the wheel that brought it. None where the name is no more than the
/// soname and the file lies in no wheel of NVIDIA's, or in one whose metadata are missing or there twice.
pub fn of_file(world: &World, id: LibraryId, real: &str, soname: &str) -> Option<String> {
    let wheel = match id {
        LibraryId::Cudart => "nvidia-cuda-runtime",
        LibraryId::Cublas | LibraryId::CublasLt => "nvidia-cublas",
        LibraryId::Cuda | LibraryId::Nvml => return named(real, soname),
    };
    of(world, wheel, real, soname)
}

/// The same for any library that this wheel brings.
pub fn of(world: &World, wheel: &str, real: &str, soname: &str) -> Option<String> {
    named(real, soname).or_else(|| of_wheel(world, wheel, real, soname))
}

fn named(real: &str, soname: &str) -> Option<String> {
    let (_, version) = base_name(real).split_once(".so.")?;
    let (_, asked) = soname.split_once(".so.")?;
    (version != asked).then(|| version.to_owned())
}

/// Wheels lie at `site-packages/nvidia/PART/lib`, and their `nvidia_PART_cu12-12.6.4.1.dist-info` beside `nvidia`.
fn of_wheel(world: &World, wheel: &str, real: &str, soname: &str) -> Option<String> {
    let (folder, _) = real.strip_suffix(base_name(real))?.strip_suffix("/lib/")?.rsplit_once('/')?;
    let packages = folder.strip_suffix("/nvidia")?;
    let major = soname.split_once(".so.")?.1.split('.').next()?;
    let found = distributions(world, packages).known()?.clone();
    let mut versions = found.into_iter().filter_map(|distribution| {
        let rest = distribution.name.strip_prefix(wheel)?;
        let is_ours = rest.is_empty() || rest.starts_with("-cu");
        (is_ours && distribution.version.split('.').next() == Some(major)).then_some(distribution.version)
    });
    let version = versions.next()?;
    versions.all(|other| other == version).then_some(version)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::FakeRoot;

    fn release(entries: &[&str], id: LibraryId, real: &str, soname: &str) -> Option<String> {
        let world = FakeRoot::new();
        for entry in entries {
            world.file(&format!("sp/{entry}/METADATA"), "");
        }
        of_file(&world, id, real, soname)
    }

    #[test]
    fn a_files_name_comes_first_and_its_wheel_second() {
        let cublas = |entries: &[&str], real: &str| release(entries, LibraryId::Cublas, real, "libcublas.so.12");
        let wheel = ["nvidia_cublas_cu12-12.6.4.1.dist-info", "nvidia_cublas_cu11-11.10.3.66.dist-info"];
        assert_eq!(cublas(&wheel, "/usr/lib/libcublas.so.12.9.1.4").as_deref(), Some("12.9.1.4"));
        assert_eq!(cublas(&wheel, "/sp/nvidia/cublas/lib/libcublas.so.12").as_deref(), Some("12.6.4.1"));
        assert_eq!(cublas(&wheel, "/sp/other/cublas/lib/libcublas.so.12"), None);
        assert_eq!(cublas(&wheel, "/sp/nvidia/libcublas.so.12"), None);
        assert_eq!(cublas(&[], "/sp/nvidia/cublas/lib/libcublas.so.12"), None);
        let torn = ["nvidia_cublas_cu12-12.6.4.1.dist-info", "nvidia_cublas-12.9.1.4.dist-info"];
        assert_eq!(cublas(&torn, "/sp/nvidia/cublas/lib/libcublas.so.12"), None, "one of the two is a lie");
    }

    #[test]
    fn the_common_folder_of_cuda_13_holds_more_than_one_wheel() {
        let wheels = ["nvidia_cuda_runtime-13.0.96.dist-info", "nvidia_cublas-13.1.0.3.dist-info"];
        let real = "/sp/nvidia/cu13/lib/libcudart.so.13";
        assert_eq!(release(&wheels, LibraryId::Cudart, real, "libcudart.so.13").as_deref(), Some("13.0.96"));
        let real = "/sp/nvidia/cu13/lib/libcublasLt.so.13";
        assert_eq!(release(&wheels, LibraryId::CublasLt, real, "libcublasLt.so.13").as_deref(), Some("13.1.0.3"));
    }
}
