// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * load-object FILE...: has this kernel load each object, through libbpf, and says how that went.
 *
 * One line an object, for a program to read:
 *	@@ NAME loaded
 *	@@ NAME refused STAGE ERRNO TEXT
 * STAGE is open, load or attach. TEXT is the verifier's last word if it said any, else libbpf's.
 * A file whose name ends in .attach.o is also attached to where loading alone shows nothing: a
 * kernel without TCX loads a program for it, and only the link is refused.
 *
 * load-object --btf KIND:NAME...: says whether the kernel's BTF has each name.
 *	@@ KIND:NAME present
 *	@@ KIND:NAME absent
 *
 * It is linked statically: the virtual machines hold no library.
 */
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* The verifier's log of one object; 16 MiB is what the kernel takes at most on old versions. */
static char verifier[1 << 20];
/* libbpf's last warning. */
static char warning[512];

static int keep_warning(enum libbpf_print_level level, const char *format, va_list arguments)
{
	/* The first one: those that follow only say that this or that failed therefore. */
	if (level == LIBBPF_WARN && !warning[0])
		vsnprintf(warning, sizeof(warning), format, arguments);
	return 0;
}

/* The last line of `text` that says something, in place. */
static const char *last_line(char *text)
{
	char *line, *last = NULL;

	for (line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		/* What the kernel says of the BTF, which it took, and the verifier's statistics. */
		if (line[0] == '\t' || line[0] == '[' || !strncmp(line, "processed ", 10) ||
		    !strncmp(line, "verification time", 17) || !strncmp(line, "stack depth", 11))
			continue;
		last = line;
	}
	return last;
}

static const char *name_of(const char *file)
{
	const char *slash = strrchr(file, '/');

	return slash ? slash + 1 : file;
}

static void refused(const char *file, const char *stage, int error)
{
	/* Who may not load is told so before the verifier: what is in its log is of the BTF. */
	const char *text = error == EPERM ? NULL : last_line(verifier);

	if (!text)
		text = last_line(warning);
	printf("@@ %s refused %s %d %s\n", name_of(file), stage, error, text ? text : "");
}

static int attach(struct bpf_object *object, const struct bpf_program *program)
{
	LIBBPF_OPTS(bpf_link_create_opts, options);
	enum bpf_attach_type type = bpf_program__expected_attach_type(program);
	int descriptor = bpf_program__fd(program);
	struct bpf_link *automatic;
	int link;

	switch (type) {
	case BPF_TCX_INGRESS:
	case BPF_NETKIT_PRIMARY:
		/* To the loopback device, which every network namespace has first. */
		link = bpf_link_create(descriptor, 1, type, &options);
		/* A kernel that knows netkit says that this is none. */
		if (link == -ENXIO && type == BPF_NETKIT_PRIMARY)
			return 0;
		if (link < 0)
			return link;
		close(link);
		return 0;
	case BPF_SK_SKB_VERDICT:
		return bpf_prog_attach(descriptor,
				       bpf_map__fd(bpf_object__next_map(object, NULL)), type, 0);
	default:
		automatic = bpf_program__attach(program);
		if (!automatic)
			return -errno;
		bpf_link__destroy(automatic);
		return 0;
	}
}

static void try(const char *file)
{
	struct bpf_object_open_opts options = {
		.sz = sizeof(options),
		.kernel_log_buf = verifier,
		.kernel_log_size = sizeof(verifier),
		.kernel_log_level = 1,
	};
	struct bpf_program *program;
	struct bpf_object *object;
	int error;

	verifier[0] = warning[0] = '\0';
	object = bpf_object__open_file(file, &options);
	if (!object) {
		refused(file, "open", errno);
		return;
	}
	error = bpf_object__load(object);
	if (error) {
		refused(file, "load", -error);
	} else if (strstr(file, ".attach.")) {
		verifier[0] = warning[0] = '\0';
		bpf_object__for_each_program(program, object) {
			error = attach(object, program);
			if (error)
				break;
		}
		if (error)
			refused(file, "attach", -error);
	}
	if (!error)
		printf("@@ %s loaded\n", name_of(file));
	bpf_object__close(object);
}

static int has(const struct btf *btf, const char *kind, const char *name)
{
	char tracepoint[256];
	int kinds[] = { BTF_KIND_STRUCT, BTF_KIND_UNION, BTF_KIND_ENUM, BTF_KIND_ENUM64,
			BTF_KIND_TYPEDEF };
	size_t at;

	if (!strcmp(kind, "kfunc") || !strcmp(kind, "function"))
		return btf__find_by_name_kind(btf, name, BTF_KIND_FUNC) > 0;
	if (!strcmp(kind, "variable"))
		return btf__find_by_name_kind(btf, name, BTF_KIND_VAR) > 0;
	if (!strcmp(kind, "tracepoint")) {
		snprintf(tracepoint, sizeof(tracepoint), "btf_trace_%s", name);
		return btf__find_by_name_kind(btf, tracepoint, BTF_KIND_TYPEDEF) > 0;
	}
	for (at = 0; at < sizeof(kinds) / sizeof(*kinds); at++)
		if (btf__find_by_name_kind(btf, name, kinds[at]) > 0)
			return 1;
	return 0;
}

static int look(int argc, char **argv)
{
	struct btf *btf = btf__load_vmlinux_btf();
	int at;

	for (at = 0; at < argc; at++) {
		char *name = strchr(argv[at], ':');

		if (!name)
			return 2;
		*name++ = '\0';
		printf("@@ %s:%s %s\n", argv[at], name,
		       btf && has(btf, argv[at], name) ? "present" : "absent");
	}
	btf__free(btf);
	return 0;
}

int main(int argc, char **argv)
{
	struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };
	int at;

	if (argc < 2) {
		fprintf(stderr, "usage: load-object FILE... | --btf KIND:NAME...\n");
		return 2;
	}
	/* Before 5.11 maps count against this limit. */
	setrlimit(RLIMIT_MEMLOCK, &unlimited);
	setvbuf(stdout, NULL, _IOLBF, 0);
	libbpf_set_print(keep_warning);
	if (!strcmp(argv[1], "--btf"))
		return look(argc - 2, argv + 2);
	for (at = 1; at < argc; at++)
		try(argv[at]);
	return 0;
}
