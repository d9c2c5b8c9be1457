//! Images that are signed as they should be and still must not be loaded: the signer was tricked,
//! or made a mistake.

use bpf_image_tests::node::{Author, Node};
use bpf_image_tests::{run, samples, skip, succeed};
use serde_json::{Value, json};

use crate::hand_made::{INDEX, Layout, MANIFEST, output_of};
use crate::refused::{MEMORY, Refused, refused, refused_command};
use crate::registry::host_architecture;
use crate::scene::SAMPLE;

/// Builds an image with `arguments`, has it changed, and signs what came out. `None` without root.
#[track_caller]
fn refused_after(arguments: &[&str], memory: u32, change: impl FnOnce(&Layout)) -> Option<Refused> {
    if skip::without_root() {
        return None;
    }
    let author = Author::new();
    let reference = author.layout(SAMPLE);
    let object = samples::object(SAMPLE).unwrap();
    let mut build = author.bpf_image();
    build.arg("build").arg(object).args(["-t", &reference]).args(arguments);
    succeed(&mut build).unwrap();
    change(&Layout::of(&author, SAMPLE));
    author.sign(&reference);
    let node = Node::trusting_layouts(&author);
    let refused = refused_command(&node, node.bpf_loader().args(["run", &reference]), memory);
    // `check` says the same, in the same code.
    run(node.bpf_loader().args(["check", &reference])).unwrap().assert_code(refused.code());
    Some(refused)
}

#[track_caller]
fn assert_refused(arguments: &[&str], change: impl FnOnce(&Layout), why: &str) {
    if let Some(refused) = refused_after(arguments, MEMORY, change) {
        refused.with(3, "image").saying(why);
    }
}

/// Lies in the config, and nothing in the annotations contradicts it.
#[track_caller]
fn lie(layout: &Layout, lie: impl FnOnce(&mut Value)) {
    layout.edit_config(|config| lie(&mut config["object"]["programs"]));
    let mut manifest = layout.document("v1");
    manifest["annotations"] = json!({});
    layout.tag("v1", MANIFEST, &manifest);
}

fn add_ghost(programs: &mut Value) {
    let mut ghost = programs[0].clone();
    ghost["name"] = "zz_ghost".into();
    programs.as_array_mut().unwrap().push(ghost);
}

#[test]
fn config_that_declares_a_program_which_the_elf_does_not_hold() {
    let Some(refused) = refused_after(&[], MEMORY, |layout| lie(layout, add_ghost)) else { return };
    refused.with(3, "image").saying("declares what its object is not").saying("zz_ghost");
    refused.hinting("do not load it");
}

#[test]
fn config_that_hides_a_program_which_the_elf_holds() {
    let hide = |layout: &Layout| lie(layout, |programs| *programs = json!([]));
    assert_refused(&[], hide, "declares what its object is not");
}

#[test]
fn config_that_declares_another_type_of_program() {
    let disguise = |layout: &Layout| lie(layout, |programs| programs[0]["type"] = "xdp".into());
    assert_refused(&[], disguise, "declares what its object is not");
}

#[test]
fn config_that_contradicts_the_annotations() {
    let contradict = |layout: &Layout| {
        layout.edit_config(|config| add_ghost(&mut config["object"]["programs"]));
    };
    assert_refused(&[], contradict, "the image contradicts itself: `io.ebpf.programs`");
}

#[test]
fn config_with_a_critical_extension_that_is_unknown() {
    let extend = |layout: &Layout| {
        layout.edit_config(|config| config["critical"] = json!(["sandbox"]));
    };
    assert_refused(&[], extend, "`sandbox`");
}

#[test]
fn object_of_random_bytes() {
    let random = output_of("head -c 4096 /dev/urandom");
    assert_refused(&[], |layout| layout.replace_layer(&random), "it is not an ELF file");
    let dressed = [b"\x7fELF\x02\x01\x01".as_slice(), &random].concat();
    assert_refused(&[], |layout| layout.replace_layer(&dressed), "object cannot be read");
    // Headers of a real one, and nothing but noise behind.
    let half = |layout: &Layout| {
        let mut object = layout.blob(&layout.layer("v1"));
        let noise = random.iter().cycle();
        object.iter_mut().skip(64).zip(noise).for_each(|(byte, noise)| *byte = *noise);
        layout.replace_layer(&object);
    };
    assert_refused(&[], half, "object");
}

#[test]
fn another_object_than_was_declared() {
    let other = std::fs::read(samples::object("tracepoint_counter").unwrap());
    let other = other.unwrap();
    let swap = |layout: &Layout| layout.replace_layer(&other);
    assert_refused(&[], swap, "declares what its object is not");
}

/// Not a matter of trust: nothing here can run it, and the kernel is not even asked.
#[test]
fn image_for_another_platform_only() {
    let platform =
        ["--platform", if host_architecture() == "amd64" { "linux/arm64" } else { "linux/amd64" }];
    let Some(refused) = refused_after(&platform, MEMORY, |_| ()) else { return };
    refused.with(4, "image").before_bpf();
    refused
        .saying(&format!("nothing for linux/{}", host_architecture()))
        .saying(&format!("it has {}", platform[1]));
}

/// CVE-2021-41190: one client would read it as a manifest, another as an index.
#[test]
fn manifest_with_both_layers_and_manifests() {
    let both = |layout: &Layout| {
        let mut document = layout.document("v1");
        document["manifests"] = json!([]);
        let mut child = layout.put(MANIFEST, document.to_string().as_bytes());
        child["platform"] = json!({ "os": "linux", "architecture": host_architecture() });
        let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [child] });
        layout.tag("v1", INDEX, &index);
    };
    assert_refused(&[], both, "has both `layers` and `manifests`");
}

#[test]
fn manifest_with_both_layers_and_manifests_is_not_even_signed() {
    let author = Author::new();
    let reference = author.layout(SAMPLE);
    author.build(SAMPLE, &reference);
    let layout = Layout::of(&author, SAMPLE);
    let mut document = layout.document("v1");
    document["manifests"] = json!([]);
    layout.tag("v1", MANIFEST, &document);
    let mut sign = author.bpf_image();
    sign.arg("sign").arg("--key").arg(author.key()).arg(&reference);
    run(&mut sign).unwrap().assert_code(3).assert_stderr_has("both `layers` and `manifests`");
}

/// Unpacked, 3 GiB; what is accepted is an object of 64 MiB, which has to fit the memory.
#[test]
fn gzip_bomb_in_image_form() {
    // A tar header that promises 7 GiB, and members of zeros that gzip's readers put together.
    let bomb = output_of(
        "truncate -s 7G x.o && tar -c --format=gnu x.o | head -c 512 | gzip; \
         head -c 32M /dev/zero | gzip > ../zeros; for i in $(seq 96); do cat ../zeros; done",
    );
    let plant = |layout: &Layout| layout.replace_layer(&bomb);
    let Some(refused) = refused_after(&["--format", "image"], 4 * MEMORY, plant) else { return };
    refused.with(3, "image").saying("it unpacks to more than the");
}

#[test]
fn archive_that_names_a_file_outside() {
    for (script, why) in [
        ("echo x > ../x.o && tar -cP ../x.o | gzip", "holds `../x.o`, which is not at the root"),
        ("mkdir a && echo x > a/x.o && tar -c a/x.o | gzip", "not at the root"),
        ("echo x > x.o && tar -cP \"$PWD/x.o\" | gzip", "not at the root"),
        ("ln -s /etc/shadow x.o && tar -c x.o | gzip", "is not a regular file"),
        ("mkfifo x.o && tar -c x.o | gzip", "is not a regular file"),
        ("echo x > a.o && echo x > b.o && tar -c a.o b.o | gzip", "more than one file"),
        ("echo nothing", "not a tar archive"),
    ] {
        let archive = output_of(script);
        let plant = |layout: &Layout| layout.replace_layer(&archive);
        assert_refused(&["--format", "image"], plant, why);
    }
}

#[test]
fn signature_is_no_image() {
    if skip::without_root() {
        return;
    }
    let author = Author::new();
    author.signed_layout(SAMPLE);
    let layout = Layout::of(&author, SAMPLE);
    let tag = format!("{}.sig", layout.digest("v1").replace(':', "-"));
    layout.tag("evil", MANIFEST, &layout.document(&tag));
    let reference = author.layout(SAMPLE).replace(":v1", ":evil");
    let output = run(author.bpf_image().arg("sign").arg("--key").arg(author.key()).arg(&reference));
    output.unwrap().assert_code(0);
    let node = Node::trusting_layouts(&author);
    refused(&node, &["run", &reference]).with(3, "image").saying("signature");
}
