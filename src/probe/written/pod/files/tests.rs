//! Which files a container is given, and which not.

use crate::probe::written::manifest::read;

#[test]
fn files_of_config_maps_lie_where_they_are_mounted() {
    let files = |namespace: &str, volume: &str, mount: &str| {
        let text = format!(
            "kind: Pod\nmetadata: {{name: p}}\nspec:\n  volumes: [{{name: v, {volume}}}]\n  containers:\n  - name: c\n    volumeMounts: [{{name: v, mountPath: /scripts/{mount}}}]\n---\n\
             kind: ConfigMap\nmetadata: {{name: m{namespace}}}\ndata: {{run.sh: jupyter lab, b: c}}\n"
        );
        read("m", &text).unwrap_or_else(|wrong| panic!("{wrong:?}: {text}")).containers.remove(0).files
    };
    let told = |found: Vec<(String, String)>| {
        found.into_iter().map(|(path, text)| format!("{path}={text}")).collect::<Vec<_>>()
    };
    let whole = "configMap: {name: m}";
    assert_eq!(told(files("", whole, "")), ["/scripts/run.sh=jupyter lab", "/scripts/b=c"]);
    assert_eq!(told(files("", whole, "go, subPath: run.sh")), ["/scripts/go=jupyter lab"]);
    assert_eq!(told(files("", "configMap: {name: m, items: [{key: b, path: x/y}]}", "")), ["/scripts/x/y=c"]);
    assert_eq!(told(files("", "projected: {sources: [{configMap: {name: m}}]}", "")).len(), 2);
    assert!(files("", "configMap: {name: other}", "").is_empty(), "that one is not in the text");
    assert!(files(", namespace: n", whole, "").is_empty(), "nor is that of another namespace");
    assert!(files("", "emptyDir: {}", "").is_empty());
}
