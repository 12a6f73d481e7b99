//! What is told of a look that could not see everything.

use super::*;
use crate::facts::{Image, Tool, ToolKind};

#[test]
fn what_was_not_found_is_unknown_where_something_was_left_out_and_what_was_found_stays() {
    let gap = Gap::new(GapKind::TimedOut, "/net does not answer");
    let tool = Tool { name: "gcc".to_owned(), kind: ToolKind::Compiler, path: "/usr/bin/gcc".to_owned() };
    let image = Image {
        os: Fact::Absent,
        tools: Fact::Known(vec![tool.clone()]),
        cuda_headers: Fact::Known(Vec::new()),
        cache_bytes: Fact::Known(0),
        ..Image::default()
    };
    let mut value = serde_json::to_value(&image).expect("JSON");
    doubt(&mut value, Image::SHAPE, &gap);
    let doubted: Image = serde_json::from_value(value).expect("an image");
    assert_eq!((&doubted.os, &doubted.cuda_headers), (&Fact::Unknown(gap.clone()), &Fact::Unknown(gap.clone())));
    assert_eq!((doubted.tools, doubted.cache_bytes), (Fact::Known(vec![tool]), Fact::Unknown(gap)));
    assert_eq!(doubted.leftovers, image.leftovers, "a reason of its own stays");
}

#[test]
fn every_part_is_a_field_of_the_facts() {
    for field in ALL.iter().chain(IMAGE).chain(STILL).chain(EXACT) {
        assert!(Facts::SHAPE.field(field).is_some(), "{field}");
    }
}
