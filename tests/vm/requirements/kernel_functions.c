// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// One kernel function or variable each. Which kernel has it is asked of the kernel's BTF.

// case: kfunc_cast_to_kern_ctx
extern void *bpf_cast_to_kern_ctx(void *) __ksym;
PROGRAM("tc", bpf_cast_to_kern_ctx(ctx) == 0)

// case: kfunc_rcu_read_lock
extern void bpf_rcu_read_lock(void) __ksym;
extern void bpf_rcu_read_unlock(void) __ksym;
SEC("tc") int program(void *ctx)
{
	bpf_rcu_read_lock();
	bpf_rcu_read_unlock();
	return 0;
}

// case: kfunc_dynptr_from_skb
extern int bpf_dynptr_from_skb(struct __sk_buff *, __u64, struct bpf_dynptr *) __ksym;
SEC("tc") int program(struct __sk_buff *skb)
{
	struct bpf_dynptr pointer;

	return bpf_dynptr_from_skb(skb, 0, &pointer) & 1;
}

// case: kfunc_preempt_disable
extern void bpf_preempt_disable(void) __ksym;
extern void bpf_preempt_enable(void) __ksym;
SEC("tc") int program(void *ctx)
{
	bpf_preempt_disable();
	bpf_preempt_enable();
	return 0;
}

// case: kfunc_local_irq_save
extern void bpf_local_irq_save(unsigned long *) __ksym;
extern void bpf_local_irq_restore(unsigned long *) __ksym;
SEC("tc") int program(void *ctx)
{
	unsigned long flags;

	bpf_local_irq_save(&flags);
	bpf_local_irq_restore(&flags);
	return 0;
}

// case: kfunc_strcmp
extern int bpf_strcmp(const char *, const char *) __ksym;
static const char text[] = "x";
PROGRAM("tc", bpf_strcmp(text, text) & 1)

// case: kfunc_weak
extern void bpf_rcu_read_lock(void) __ksym __weak;
PROGRAM("tc", bpf_ksym_exists(bpf_rcu_read_lock))

// case: ksym_variable
extern const int bpf_prog_active __ksym;
SEC("tc") int program(void *ctx)
{
	int *active = bpf_per_cpu_ptr(&bpf_prog_active, 0);

	return active ? *active & 1 : 0;
}

// case: kconfig_version
extern int LINUX_KERNEL_VERSION __kconfig;
PROGRAM("tc", LINUX_KERNEL_VERSION & 1)
