//! What the image carries beside the workload: tools, caches, development files, leftovers.

mod caches;
mod made_from;
mod tools;

use std::collections::HashSet;

use crate::facts::{Fact, Image, LIST_LIMIT, cut};
use crate::probe::image_config::{self, Given};
use crate::probe::os_release;
use crate::world::World;

/// Reads what the image carries, and what its configuration says where one is given.
pub fn collect(world: &World, config: Option<&Given>) -> Image {
    let python = made_from::python(world);
    Image {
        os: os(world),
        tools: tools::find(world),
        remote_access: tools::remote_access(world),
        python_version: python.as_ref().and_then(|file| made_from::python_version(file)),
        python_of_distribution: python.map(|file| file.starts_with("/usr/bin/")),
        ngc_product: made_from::ngc_product(world),
        ngc_release: made_from::ngc_release(world),
        cache_bytes: caches::bytes(world),
        cuda_headers: cuda_development(world),
        leftovers: leftovers(world),
        left_out: world.left_out_entries().iter().map(|entry| cut(entry)).collect(),
        configured: config.is_some(),
        config: image_config::collect(world, config),
        ..Image::default()
    }
}

/// `PRETTY_NAME` of `/etc/os-release`, else its name and version.
fn os(world: &World) -> Fact<String> {
    os_release::read(world).and_then(|os| {
        let parts = || os.value("NAME").map(|name| format!("{name} {}", os.value("VERSION_ID").unwrap_or_default()));
        Fact::present(os.value("PRETTY_NAME").or_else(parts).map(|name| name.trim().to_owned()))
    })
}

/// Header folders and static libraries of CUDA toolkits under `/usr/local`, and Debian's header.
fn cuda_development(world: &World) -> Fact<Vec<String>> {
    let toolkits = match world.list("/usr/local") {
        Fact::Known(names) => names,
        Fact::Absent => Vec::new(),
        Fact::Unknown(gap) => return Fact::Unknown(gap),
    };
    let mut found = Vec::new();
    // `cuda` is mostly a link to `cuda-12.8`.
    let mut seen = HashSet::new();
    for name in toolkits.iter().filter(|name| name.starts_with("cuda")) {
        let toolkit = format!("/usr/local/{name}");
        if let Fact::Known(real) = world.real_path(&toolkit)
            && !seen.insert(real)
        {
            continue;
        }
        let headers = format!("{toolkit}/include");
        if world.exists(format!("{headers}/cuda_runtime.h")) == Fact::Known(true) {
            found.push(headers);
        }
        let libraries = format!("{toolkit}/lib64");
        if let Fact::Known(names) = world.list(&libraries)
            && names.iter().any(|name| name.ends_with("_static.a"))
        {
            found.push(libraries);
        }
    }
    if world.exists("/usr/include/cuda_runtime.h") == Fact::Known(true) {
        found.push("/usr/include/cuda_runtime.h".to_owned());
    }
    Fact::Known(found)
}

/// Repositories and notebooks at the top of the working folder.
fn leftovers(world: &World) -> Fact<Vec<String>> {
    world.working_folder().and_then(|folder| {
        world.list(&folder).map(|names| {
            let is_notebook = |name: &str| std::path::Path::new(name).extension().is_some_and(|end| end == "ipynb");
            let left = names.into_iter().filter(|name| name == ".git" || is_notebook(name));
            left.take(LIST_LIMIT).map(|name| cut(&name)).collect()
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::FakeRoot;

    fn root(files: &[(&str, &str)]) -> FakeRoot {
        FakeRoot::of(files, &[])
    }

    #[test]
    fn the_system_is_named_by_its_release_file() {
        let os = |text| collect(&root(&[("etc/os-release", text)]), None).os;
        assert_eq!(os("NAME=x\nPRETTY_NAME=\"Ubuntu 24.04.1 LTS\"\n"), Fact::Known("Ubuntu 24.04.1 LTS".to_owned()));
        assert_eq!(os("NAME='Wolfi'\nVERSION_ID=20230201\n"), Fact::Known("Wolfi 20230201".to_owned()));
        assert_eq!(os("garbage"), Fact::Absent);
        assert_eq!(collect(&root(&[]), None).os, Fact::Absent);
        assert!(collect(&root(&[("etc/os-release/x", "")]), None).os.is_unknown());
    }

    #[test]
    fn toolkit_headers_are_listed_once() {
        let root = root(&[
            ("usr/local/cuda-12.8/include/cuda_runtime.h", ""),
            ("usr/local/cuda-12.8/lib64/libcudart_static.a", ""),
            ("usr/local/cuda-11.8/lib64/libcudart.so", ""),
        ]);
        root.link("usr/local/cuda", "cuda-12.8");
        let found = collect(&root, None).cuda_headers;
        assert_eq!(
            found,
            Fact::Known(["/usr/local/cuda/include", "/usr/local/cuda/lib64"].map(str::to_owned).to_vec())
        );
    }

    #[test]
    fn leftovers_are_those_of_the_working_folder() {
        let root = root(&[("app/.git/HEAD", ""), ("app/a.ipynb", ""), ("app/serve.py", ""), ("b.ipynb", "")]);
        assert!(collect(&root, None).leftovers.is_absent());
        root.link("proc/self/cwd", "/app");
        assert_eq!(collect(&root, None).leftovers, Fact::Known([".git", "a.ipynb"].map(str::to_owned).to_vec()));
    }

    #[test]
    fn an_empty_image_has_empty_lists() {
        let found = collect(&root(&[]), None);
        assert_eq!(found.tools, Fact::Known(Vec::new()));
        assert_eq!(found.cuda_headers, Fact::Known(Vec::new()));
        assert_eq!(found.cache_bytes, Fact::Known(0));
        assert!(collect(&root(&[("usr/local", "a file")]), None).cuda_headers.known().is_some_and(Vec::is_empty));
    }
}
