"""Who is inside the program: a bill of materials (CycloneDX 1.6) and the licences of its crates.

Usage: third-party.py VERSION SBOM LICENCES, in the repository, with cargo at hand.

Only what is linked in counts: dependencies of the kind "normal", for this machine. What builds or tests it is left out.
"""

import json
import pathlib
import subprocess
import sys


def crates():
    """The packages that are linked into the program, by name and version."""
    host = subprocess.check_output(["rustc", "-vV"], text=True).split("host: ")[1].split()[0]
    command = ["cargo", "metadata", "--format-version=1", "--locked", "--filter-platform", host]
    data = json.loads(subprocess.check_output(command))
    packages = {package["id"]: package for package in data["packages"]}
    nodes = {node["id"]: node for node in data["resolve"]["nodes"]}
    root = data["resolve"]["root"]
    seen, waiting = set(), [root]
    while waiting:
        for dependency in nodes[waiting.pop()]["deps"]:
            is_linked = any(kind["kind"] is None for kind in dependency["dep_kinds"])
            targets = {kind for target in packages[dependency["pkg"]]["targets"] for kind in target["kind"]}
            if is_linked and "proc-macro" not in targets and dependency["pkg"] not in seen:
                seen.add(dependency["pkg"])
                waiting.append(dependency["pkg"])
    found = [packages[one] for one in seen if packages[one]["source"]]
    return sorted(found, key=lambda package: (package["name"], package["version"]))


def bill(version, packages):
    components = [
        {
            "type": "library",
            "bom-ref": f"pkg:cargo/{package['name']}@{package['version']}",
            "name": package["name"],
            "version": package["version"],
            "purl": f"pkg:cargo/{package['name']}@{package['version']}",
            "licenses": [{"expression": package["license"].replace("/", " OR ")}],
        }
        for package in packages
    ]
    program = {"type": "application", "name": "gpu-preflight", "version": version, "bom-ref": "gpu-preflight"}
    program["licenses"] = [{"expression": "Apache-2.0"}]
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": program},
        "components": components,
        "dependencies": [{"ref": "gpu-preflight", "dependsOn": [one["bom-ref"] for one in components]}],
    }


def licences(packages):
    """The licence files of each crate, each text once with everybody who brings it."""
    texts = {}
    for package in packages:
        folder = pathlib.Path(package["manifest_path"]).parent
        files = sorted(file for file in folder.iterdir() if file.name.upper().startswith(("LICENSE", "LICENCE", "COPYING", "NOTICE")) and file.is_file())
        if not files:
            texts.setdefault(f"{package['license']} (the crate brings no text of it)\n", []).append(package)
        for file in files:
            texts.setdefault(file.read_text(encoding="utf-8", errors="replace"), []).append(package)
    for text, owners in sorted(texts.items(), key=lambda item: item[1][0]["name"]):
        names = ", ".join(f"{owner['name']} {owner['version']}" for owner in owners)
        yield f"{names}\n\n{text.rstrip()}\n\n{'-' * 72}\n\n"


def main():
    version, sbom, licence_file = sys.argv[1:]
    packages = crates()
    pathlib.Path(sbom).write_text(json.dumps(bill(version, packages), indent=2) + "\n")
    pathlib.Path(licence_file).write_text("".join(licences(packages)))


main()
