//! The development tools of the image by what they are for, so that a finding can name those that it is about.

use crate::facts::{Fact, Image, ToolKind};

/// Programs that fetch, which health checks use.
const DOWNLOADERS: [&str; 2] = ["curl", "wget"];
/// What every base image has.
const OF_EVERY_BASE: [&str; 1] = ["su"];

/// Fills the lists of names.
pub fn derive(image: &mut Image) {
    let none: [&str; 0] = [];
    image.editors = names(image, ToolKind::Editor, &none);
    image.compilers = names(image, ToolKind::Compiler, &none);
    image.debuggers = names(image, ToolKind::Debugger, &none);
    image.network_tools = names(image, ToolKind::Network, &DOWNLOADERS);
    image.privilege_tools = names(image, ToolKind::Privilege, &OF_EVERY_BASE);
    image.orchestration_clients = names(image, ToolKind::Orchestration, &none);
}

fn names(image: &Image, kind: ToolKind, passed_over: &[&str]) -> Fact<Vec<String>> {
    image.tools.as_ref().map(|tools| {
        let own = tools.iter().filter(|tool| tool.kind == kind && !passed_over.contains(&tool.name.as_str()));
        own.map(|tool| tool.name.clone()).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{GapKind, Tool};

    #[test]
    fn tools_are_told_by_what_they_are_for_and_what_everybody_needs_is_passed_over() {
        let tool = |name: &str, kind| Tool { name: name.to_owned(), kind, path: format!("/usr/bin/{name}") };
        let tools = vec![
            tool("curl", ToolKind::Network),
            tool("git", ToolKind::Network),
            tool("su", ToolKind::Privilege),
            tool("vim", ToolKind::Editor),
        ];
        let mut image = Image { tools: Fact::Known(tools), ..Image::default() };
        derive(&mut image);
        assert_eq!(image.network_tools, Fact::Known(vec!["git".to_owned()]));
        assert_eq!(image.editors, Fact::Known(vec!["vim".to_owned()]));
        assert_eq!((image.privilege_tools, image.debuggers), (Fact::Known(Vec::new()), Fact::Known(Vec::new())));
    }

    #[test]
    fn tools_that_could_not_be_looked_for_stay_unknown() {
        let mut image = Image { tools: Fact::unknown(GapKind::NotPermitted, "no"), ..Image::default() };
        derive(&mut image);
        assert!(image.compilers.is_unknown() && image.orchestration_clients.is_unknown());
    }
}
