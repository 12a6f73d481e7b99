//! What a workload needs that compiles code while it runs, from files alone.
//!
//! Triton writes a launcher in C for every kernel, compiles it with the compiler of the image against `Python.h` and
//! links it with `-lcuda`; how it looks for these is in its `runtime/build.py` and `backends/nvidia/driver.py`, and here
//! alike. The driver compiles PTX in a library of its own, which libcuda opens by its name.

use super::libraries::plain::Loader;
use super::paths::{base_name, find_program};
use crate::facts::{Compile, Fact, Framework, GapKind, cut};
use crate::world::World;

/// Reads all of it.
pub fn collect(world: &World, framework: &Framework) -> Compile {
    let c_compiler = compiler(world);
    let loader = Loader::read(world, |name| name.starts_with("libcu") || name.starts_with("libnv"));
    Compile {
        libc_header: libc_header(world, &c_compiler),
        python_header: python_header(world, framework),
        link_library: link_library(world, &loader),
        ptx_library: loader.find(world, "libnvidia-ptxjitcompiler.so.1"),
        nvvm_library: loader.find(world, "libnvidia-nvvm.so.4"),
        c_compiler,
        ..Compile::default()
    }
}

/// `CC` may carry arguments, or a name that `$PATH` knows.
fn compiler(world: &World) -> Fact<String> {
    let named = world.env("CC").and_then(|value| value.split_whitespace().next().map(str::to_owned));
    let program = |name: &str| {
        if name.starts_with('/') {
            (world.executable(name) == Fact::Known(true)).then(|| name.to_owned())
        } else {
            find_program(world, name)
        }
    };
    let found = match named {
        Some(name) => program(&name),
        None => program("gcc").or_else(|| program("clang")),
    };
    Fact::present(found.map(|path| cut(&path)))
}

fn libc_header(world: &World, compiler: &Fact<String>) -> Fact<String> {
    let Fact::Known(compiler) = compiler else { return Fact::Absent };
    let variables = ["CPATH", "C_INCLUDE_PATH"].iter().filter_map(|name| world.env(name));
    let mut folders: Vec<String> =
        variables.flat_map(|value| value.split(':').map(str::to_owned).collect::<Vec<_>>()).collect();
    folders.push("/usr/include".to_owned());
    // A compiler of conda or of a toolchain has a root of its own.
    let prefix = compiler.rsplitn(3, '/').nth(2).unwrap_or_default();
    folders.push(format!("{prefix}/include"));
    let triple = format!("{}-conda-linux-gnu", std::env::consts::ARCH);
    folders.push(format!("{prefix}/{triple}/sysroot/usr/include"));
    let mut headers = folders.iter().filter(|folder| folder.starts_with('/')).map(|f| format!("{f}/stdlib.h"));
    match headers.find(|header| world.exists(header) == Fact::Known(true)) {
        Some(header) => Fact::Known(cut(&header)),
        // Only of a compiler of the distribution do we know that it has no other root.
        None if matches!(prefix, "" | "/usr" | "/usr/local") => Fact::Absent,
        None => Fact::unknown(GapKind::NotSupported, format!("{}: where it looks is its own", base_name(compiler))),
    }
}

/// Beside each folder of packages (`/usr/lib/python3.12/site-packages` has `/usr/include/python3.12`), and below the
/// prefix of the interpreter itself, which that of a virtual environment links to.
fn python_header(world: &World, framework: &Framework) -> Fact<String> {
    let Fact::Known(folders) = &framework.site_packages else { return Fact::Absent };
    let real = find_program(world, "python3").and_then(|path| world.real_path(path).known().cloned());
    let real_prefix = real.and_then(|path| Some(path.parent()?.parent()?.to_string_lossy().into_owned()));
    let mut tried = Vec::new();
    for folder in folders {
        let mut parts = folder.rsplitn(4, '/');
        let (_, Some(python), _, Some(prefix)) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
            continue;
        };
        for prefix in [Some(prefix), real_prefix.as_deref()].into_iter().flatten() {
            tried.push(format!("{prefix}/include/{python}/Python.h"));
        }
    }
    if let Some(prefix) = &real_prefix {
        // Debian's packages lie in `python3/dist-packages`, its headers in `python3.12`.
        let names = world.list(format!("{prefix}/include")).known().cloned().unwrap_or_default();
        let of_python = names.iter().filter(|name| name.starts_with("python3"));
        tried.extend(of_python.map(|name| format!("{prefix}/include/{name}/Python.h")));
    }
    Fact::present(tried.into_iter().find(|path| world.exists(path) == Fact::Known(true)).map(|path| cut(&path)))
}

fn link_library(world: &World, loader: &Loader) -> Fact<String> {
    let listed = |name: &str| {
        let value = world.env(name).unwrap_or_default();
        value.split(':').filter(|folder| folder.starts_with('/')).map(str::to_owned).collect::<Vec<_>>()
    };
    let mut folders = listed("TRITON_LIBCUDA_PATH");
    folders.extend(loader.cached_folders("libcuda.so.1"));
    folders.extend(listed("LD_LIBRARY_PATH"));
    folders.extend(listed("LIBRARY_PATH"));
    folders.extend(loader.default_folders().iter().cloned());
    let mut places = folders.iter().map(|folder| format!("{}/libcuda.so", folder.trim_end_matches('/')));
    Fact::present(places.find(|path| world.exists(path) == Fact::Known(true)).map(|path| cut(&path)))
}

#[cfg(test)]
#[allow(clippy::disallowed_methods)]
mod tests {
    use super::*;
    use crate::world::FakeRoot;

    const SITE: &str = "/opt/venv/lib/python3.12/site-packages";

    fn read(files: &[&str], variables: &[(&str, &str)]) -> Compile {
        let root = FakeRoot::of(&[], &[&[("PATH", "/usr/bin")], variables].concat());
        for path in files {
            root.program(path);
        }
        let framework = Framework { site_packages: Fact::Known(vec![SITE.to_owned()]), ..Framework::default() };
        collect(&root, &framework)
    }

    fn known(text: &str) -> Fact<String> {
        Fact::Known(text.to_owned())
    }

    #[test]
    fn an_image_with_everything_has_everything() {
        let found = read(
            &[
                "/usr/bin/gcc",
                "/usr/bin/clang",
                "/usr/include/stdlib.h",
                "/opt/venv/include/python3.12/Python.h",
                "/usr/lib/libcuda.so",
                "/usr/lib/libnvidia-ptxjitcompiler.so.1",
                "/opt/nv/libnvidia-nvvm.so.4",
            ],
            &[("LD_LIBRARY_PATH", "/opt/nv")],
        );
        assert_eq!(found.c_compiler, known("/usr/bin/gcc"));
        assert_eq!(found.libc_header, known("/usr/include/stdlib.h"));
        assert_eq!(found.python_header, known("/opt/venv/include/python3.12/Python.h"));
        assert_eq!(found.link_library, known("/usr/lib/libcuda.so"));
        assert_eq!(found.ptx_library, known("/usr/lib/libnvidia-ptxjitcompiler.so.1"));
        assert_eq!(found.nvvm_library, known("/opt/nv/libnvidia-nvvm.so.4"));
    }

    #[test]
    fn an_image_with_nothing_lacks_each() {
        let found = read(&[], &[]);
        let lacks = [
            &found.c_compiler,
            &found.libc_header,
            &found.python_header,
            &found.link_library,
            &found.ptx_library,
            &found.nvvm_library,
        ];
        assert!(lacks.into_iter().all(Fact::is_absent), "{found:?}");
    }

    #[test]
    fn a_compiler_that_is_named_is_the_one_that_counts() {
        let gcc = ["/usr/bin/gcc", "/opt/cross/bin/cc", "/opt/cross/include/stdlib.h"];
        assert_eq!(read(&gcc, &[("CC", "/opt/cross/bin/cc -O1")]).libc_header, known("/opt/cross/include/stdlib.h"));
        assert!(read(&gcc, &[("CC", "/opt/none/cc")]).c_compiler.is_absent());
        assert!(read(&gcc, &[]).libc_header.is_absent(), "the distribution's compiler has no other root");
        assert!(read(&["/opt/x/bin/gcc"], &[("CC", "/opt/x/bin/gcc")]).libc_header.is_unknown());
    }
}
