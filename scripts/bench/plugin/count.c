/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A TCG plugin that counts guest instructions between two marks, and says on whose behalf they ran:
 *
 *   text     the driver's own instructions
 *   helper   the kernel's, in functions that the driver called, directly or not
 *   rest     everything else; also what runs below a function that hands a packet, or the
 *            processor, back to the kernel (the table's "stack" entries): the network stack, a BPF
 *            program, the softirqs that a lock's release lets in
 *
 * For that it keeps a shadow call stack for each task of the guest. A call pushes, a return pops,
 * an interrupt pushes what it interrupted, and a task switch (seen by the address where the kernel
 * saves a task's stack pointer) changes stacks.
 *
 * Instructions are counted by inline code, one by one, so that blocks that end early (by a fault, or
 * by a device access that QEMU repeats) are counted right. At the beginning of each translated block
 * a callback charges what ran since the last one. Nothing is instrumented until the guest says "arm".
 *
 *   -plugin count.so,table=FILE,results=FILE
 *
 * The table has one line per fact; addresses are hexadecimal:
 *
 *   driver BEGIN END        its text
 *   function ADDRESS NAME   any function of the kernel or of a module
 *   stack ADDRESS           function that is not on the driver's account
 *   interrupt ADDRESS       entry point of an interrupt or exception
 *   stubs ADDRESS           a table of entry points, each of which jumps to one of those
 *   switch ADDRESS          where the kernel switches stacks
 *
 * Results: one line of JSON for each pair of marks. This works with one thread for all virtual
 * processors (-icount, or -accel tcg,thread=single).
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <qemu-plugin.h>

#include "marks.h"

QEMU_PLUGIN_EXPORT int qemu_plugin_version = QEMU_PLUGIN_VERSION;

enum {
	MAX_CPUS = 64,
	MAX_FRAMES = 512,
	MAX_FUNCTIONS = 1 << 18,
	LINE_SLOTS = 1 << 20, /* distinct lines of one measurement, at half load */
	TASK_SLOTS = 1 << 12,
	LINE_SHIFT = 6,
};

enum context { REST, HELPER, TEXT, CONTEXTS };

enum ending { ENDS_OTHERWISE, ENDS_CALL, ENDS_CALL_INDIRECT, ENDS_RETURN, ENDS_IRET };

struct function {
	uint64_t address;
	char *name;
	bool stack;
	bool interrupt;
	bool stubs;
	bool switches;
	uint64_t ran[CONTEXTS];
	uint64_t calls[CONTEXTS]; /* by the caller's account */
};

/* A translated block. Never freed: the guest's text is finite. */
struct block {
	uint64_t start;
	uint64_t last;  /* address of its last instruction */
	uint64_t after; /* where that one would return to */
	uint64_t target;
	struct function *function;
	enum ending ending;
	bool user;
	bool driver;
	bool entry; /* starts where its function starts */
};

struct frame {
	uint64_t return_address; /* 0: an interrupt */
	const struct block *interrupted;
	enum context context;
};

struct stack {
	uint64_t key; /* where the kernel saves this task's stack pointer */
	unsigned int depth;
	enum context context;
	struct frame frames[MAX_FRAMES];
};

struct cpu {
	struct stack *stack;
	struct stack unknown; /* of the task that ran here when we began to watch */
	const struct block *previous;
};

static const struct block no_block = { .user = true };

static qemu_plugin_id_t plugin;
static char *table_path, *results_path;

static struct function *functions;
static size_t function_count;
static struct function nowhere = { .name = "(not in the table)" };
static struct function userspace = { .name = "(user space)" };

struct range {
	uint64_t begin, end;
};
static struct range driver_ranges[16];
static size_t driver_range_count;

static struct cpu cpus[MAX_CPUS];
static struct stack *tasks[TASK_SLOTS];

static uint64_t executed; /* by inline code */
static uint64_t charged;
static const struct block *running = &no_block;
static enum context running_context;

static bool counting;
static unsigned int measurement;
static uint64_t total, text, helper, user;
static uint64_t lost_returns, deepest;

static uint64_t lines[LINE_SLOTS];
static uint64_t line_count;
static uint64_t helper_line_count;
static uint64_t helper_lines[LINE_SLOTS];

/* ---- the table ---- */

static void stop(const char *what, const char *detail)
{
	fprintf(stderr, "count: %s %s\n", what, detail);
	exit(1);
}

static int by_address(const void *a, const void *b)
{
	const struct function *first = a, *second = b;

	return first->address < second->address ? -1 : first->address > second->address;
}

/* The function that has this address, or NULL. The last one ends where the table ends. */
static struct function *find_function(uint64_t address)
{
	size_t low = 0, high = function_count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (functions[middle].address <= address)
			low = middle + 1;
		else
			high = middle;
	}
	/* No function is larger than this; what is farther away is in nobody's text. */
	if (low == 0 || address - functions[low - 1].address > 64 << 10)
		return NULL;
	return &functions[low - 1];
}

static struct function *require_function(uint64_t address)
{
	struct function *function = find_function(address);

	if (!function || function->address != address)
		stop("the table names an address that is no function", "");
	return function;
}

static void forget_table(void)
{
	for (size_t i = 0; i < function_count; i++)
		free(functions[i].name);
	function_count = 0;
	driver_range_count = 0;
}

static void read_table(void)
{
	static char line[1024];
	FILE *file = fopen(table_path, "r");

	if (!file)
		stop("cannot read", table_path);
	forget_table();
	/* Functions come first, and are sorted before anything refers to them. */
	while (fgets(line, sizeof(line), file)) {
		char name[512];
		uint64_t address;

		if (sscanf(line, "function %" SCNx64 " %511s", &address, name) != 2)
			continue;
		if (function_count == MAX_FUNCTIONS)
			stop("too many functions in", table_path);
		functions[function_count++] =
			(struct function){ .address = address, .name = strdup(name) };
	}
	qsort(functions, function_count, sizeof(*functions), by_address);
	rewind(file);
	while (fgets(line, sizeof(line), file)) {
		uint64_t first, second;

		if (sscanf(line, "driver %" SCNx64 " %" SCNx64, &first, &second) == 2) {
			if (driver_range_count == sizeof(driver_ranges) / sizeof(*driver_ranges))
				stop("too many ranges in", table_path);
			driver_ranges[driver_range_count++] = (struct range){ first, second };
		} else if (sscanf(line, "stack %" SCNx64, &first) == 1) {
			require_function(first)->stack = true;
		} else if (sscanf(line, "interrupt %" SCNx64, &first) == 1) {
			require_function(first)->interrupt = true;
		} else if (sscanf(line, "stubs %" SCNx64, &first) == 1) {
			require_function(first)->stubs = true;
		} else if (sscanf(line, "switch %" SCNx64, &first) == 1) {
			require_function(first)->switches = true;
		}
	}
	fclose(file);
}

static bool in_driver(uint64_t address)
{
	for (size_t i = 0; i < driver_range_count; i++) {
		if (address >= driver_ranges[i].begin && address < driver_ranges[i].end)
			return true;
	}
	return false;
}

/* ---- who runs on whose behalf ---- */

static struct stack *stack_of_task(uint64_t key)
{
	size_t slot = (key >> 6) * 0x9E3779B97F4A7C15ull >> 52;

	for (;; slot = (slot + 1) % TASK_SLOTS) {
		if (!tasks[slot]) {
			tasks[slot] = calloc(1, sizeof(**tasks));
			tasks[slot]->key = key;
		}
		if (tasks[slot]->key == key)
			return tasks[slot];
	}
}

static void push(struct stack *stack, struct frame frame)
{
	/* The oldest go: what is left of them ends at the next system call. */
	if (stack->depth == MAX_FRAMES) {
		memmove(stack->frames, stack->frames + 1, sizeof(frame) * (MAX_FRAMES - 1));
		stack->depth--;
	}
	stack->frames[stack->depth++] = frame;
	if (stack->depth > deepest)
		deepest = stack->depth;
}

/* The account of a block that was entered from another one, by a call or by a jump. */
static enum context account(enum context caller, const struct block *block)
{
	if (block->driver)
		return TEXT;
	if (!block->function || (block->entry && block->function->stack))
		return REST; /* without a function: a BPF program */
	return caller == TEXT ? HELPER : caller;
}

static bool pop_return(struct stack *stack, uint64_t address)
{
	for (unsigned int depth = stack->depth; depth-- > 0;) {
		const struct frame *frame = &stack->frames[depth];

		if (frame->return_address == 0)
			return false; /* not out of an interrupt */
		if (frame->return_address == address) {
			stack->context = frame->context;
			stack->depth = depth;
			return true;
		}
	}
	return false;
}

static const struct block *pop_interrupt(struct stack *stack)
{
	while (stack->depth > 0) {
		const struct frame *frame = &stack->frames[--stack->depth];

		if (frame->return_address == 0) {
			stack->context = frame->context;
			return frame->interrupted;
		}
	}
	return NULL;
}

static void count_call(const struct block *block, enum context caller)
{
	if (counting && block->entry && block->function)
		block->function->calls[caller]++;
}

static void move(struct cpu *cpu, const struct block *previous, const struct block *block)
{
	struct stack *stack = cpu->stack;
	enum context caller = stack->context;
	bool goes_on = block->start > previous->start && block->start <= previous->last;

	switch (goes_on ? ENDS_OTHERWISE : previous->ending) {
	case ENDS_CALL:
		/* Otherwise the block ended before its last instruction. */
		if (block->start != previous->target)
			break;
		/* fallthrough */
	case ENDS_CALL_INDIRECT:
		push(stack, (struct frame){ previous->after, NULL, caller });
		stack->context = account(caller, block);
		count_call(block, caller);
		return;
	case ENDS_RETURN:
		if (!pop_return(stack, block->start)) {
			if (counting)
				lost_returns++;
			break;
		}
		return;
	default:
		break;
	}
	if (block->driver || block->function != previous->function) {
		stack->context = account(caller, block);
		if (block->entry && block->function != previous->function)
			count_call(block, caller);
	}
}

static bool is_interrupt(const struct block *previous, const struct block *block)
{
	if (!block->function)
		return false;
	if (block->function->stubs)
		return true;
	return block->entry && block->function->interrupt &&
	       !(previous->function && previous->function->stubs);
}

static void arrive(struct cpu *cpu, const struct block *block)
{
	struct stack *stack = cpu->stack;
	const struct block *previous = cpu->previous;

	cpu->previous = block;
	if (block->user || previous->user) {
		stack->depth = 0;
		stack->context = REST;
	}
	if (block->user)
		return;
	if (is_interrupt(previous, block)) {
		/* What the interrupted block was about to do is done after the interrupt. */
		push(stack, (struct frame){ 0, previous, stack->context });
		stack->context = REST;
		return;
	}
	if (previous->user)
		return;
	/* More than one if the next interrupt came when this one was just over. */
	while (previous->ending == ENDS_IRET) {
		previous = pop_interrupt(stack);
		if (!previous || previous->user)
			return;
	}
	move(cpu, previous, block);
}

/* ---- what the instrumented code calls ---- */

static void charge(void)
{
	uint64_t ran = executed - charged;
	struct function *function = running->user ? &userspace : running->function;

	charged = executed;
	if (!counting || ran == 0)
		return;
	total += ran;
	if (running->user)
		user += ran;
	if (running_context == TEXT)
		text += ran;
	if (running_context == HELPER)
		helper += ran;
	(function ? function : &nowhere)->ran[running_context] += ran;
}

static void on_block(unsigned int index, void *data)
{
	struct cpu *cpu = &cpus[index];
	const struct block *block = data;

	charge();
	arrive(cpu, block);
	running = block;
	running_context = cpu->stack->context;
}

static bool add_line(uint64_t *set, uint64_t line)
{
	size_t slot = line * 0x9E3779B97F4A7C15ull >> 44;

	line++; /* 0 is an empty slot */
	while (set[slot] != line) {
		if (set[slot] == 0) {
			set[slot] = line;
			return true;
		}
		slot = (slot + 1) % LINE_SLOTS;
	}
	return false;
}

static void note_line(uint64_t line)
{
	if (running_context == TEXT && line_count < LINE_SLOTS / 2)
		line_count += add_line(lines, line);
	if (running_context != REST && helper_line_count < LINE_SLOTS / 2)
		helper_line_count += add_line(helper_lines, line);
}

static void on_access(unsigned int index, qemu_plugin_meminfo_t info, uint64_t address, void *data)
{
	uint64_t last = address + (1ull << qemu_plugin_mem_size_shift(info)) - 1;

	(void)index, (void)data;
	if (!counting || running_context == REST)
		return;
	note_line(address >> LINE_SHIFT);
	if (last >> LINE_SHIFT != address >> LINE_SHIFT)
		note_line(last >> LINE_SHIFT);
}

/* The kernel stores the stack pointer of the task that goes, and loads that of the next. */
static void on_switch(unsigned int index, qemu_plugin_meminfo_t info, uint64_t address, void *data)
{
	struct cpu *cpu = &cpus[index];
	struct stack *stack;

	(void)data;
	charge();
	stack = stack_of_task(address);
	if (qemu_plugin_mem_is_store(info)) {
		/* The first time we do not know yet whose stack we have been keeping. */
		if (cpu->stack != stack) {
			uint64_t key = stack->key;

			*stack = *cpu->stack;
			stack->key = key;
			cpu->stack = stack;
		}
	} else {
		cpu->stack = stack;
		/* It goes on behind the switch, on nobody's account until it returns from there. */
	}
	running_context = cpu->stack->context;
}

/* ---- marks ---- */

static void write_functions(FILE *file)
{
	const char *separator = "";

	fprintf(file, ",\"functions\":{");
	for (size_t i = 0; i < function_count + 2; i++) {
		const struct function *f = i < function_count ? &functions[i] :
					   i == function_count ? &nowhere : &userspace;

		if (!(f->ran[REST] | f->ran[HELPER] | f->ran[TEXT] | f->calls[REST] |
		      f->calls[HELPER] | f->calls[TEXT]))
			continue;
		/* Ran and called for: the driver's text, its helpers, the rest. A local function may
		 * share its name with another one. */
		fprintf(file, "%s\"%s@%" PRIx64 "\":[%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64
			",%" PRIu64 ",%" PRIu64 "]", separator, f->name, f->address, f->ran[TEXT],
			f->ran[HELPER], f->ran[REST], f->calls[TEXT], f->calls[HELPER],
			f->calls[REST]);
		separator = ",";
	}
	fprintf(file, "}");
}

static void on_begin(unsigned int index, void *data)
{
	(void)index, (void)data;
	charge();
	total = text = helper = user = 0;
	lost_returns = deepest = 0;
	line_count = helper_line_count = 0;
	memset(lines, 0, sizeof(lines));
	memset(helper_lines, 0, sizeof(helper_lines));
	for (size_t i = 0; i < function_count; i++) {
		memset(functions[i].ran, 0, sizeof(functions[i].ran));
		memset(functions[i].calls, 0, sizeof(functions[i].calls));
	}
	memset(nowhere.ran, 0, sizeof(nowhere.ran));
	memset(userspace.ran, 0, sizeof(userspace.ran));
	counting = true;
}

static void on_end(unsigned int index, void *data)
{
	FILE *file;

	(void)index, (void)data;
	charge();
	if (!counting)
		return;
	counting = false;
	file = fopen(results_path, "a");
	if (!file)
		stop("cannot write", results_path);
	fprintf(file,
		"{\"measurement\":%u,\"total\":%" PRIu64 ",\"text\":%" PRIu64 ",\"helper\":%" PRIu64
		",\"user\":%" PRIu64 ",\"lines\":%" PRIu64 ",\"caused_lines\":%" PRIu64
		",\"lost_returns\":%" PRIu64 ",\"deepest\":%" PRIu64,
		measurement++, total, text, helper, user, line_count, helper_line_count,
		lost_returns, deepest);
	write_functions(file);
	fprintf(file, "}\n");
	fclose(file);
}

static void watch(qemu_plugin_id_t id);
static void rest(qemu_plugin_id_t id);

static void on_arm(unsigned int index, void *data)
{
	(void)index, (void)data;
	/* Translates everything anew. */
	qemu_plugin_reset(plugin, watch);
}

static void on_disarm(unsigned int index, void *data)
{
	(void)index, (void)data;
	qemu_plugin_reset(plugin, rest);
}

/* ---- translation ---- */

static uint32_t mark_of(const struct qemu_plugin_insn *insn)
{
	static const uint8_t nopl[] = { 0x0f, 0x1f, 0x80 };
	const uint8_t *bytes = qemu_plugin_insn_data(insn);
	uint32_t mark;

	if (qemu_plugin_insn_size(insn) != 7 || memcmp(bytes, nopl, sizeof(nopl)) != 0)
		return 0;
	memcpy(&mark, bytes + sizeof(nopl), sizeof(mark));
	return (mark & ~0xffu) == MARK_FIRST ? mark : 0;
}

static void instrument_mark(struct qemu_plugin_insn *insn, bool armed)
{
	static const struct {
		uint32_t mark;
		bool armed;
		qemu_plugin_vcpu_udata_cb_t call;
	} marks[] = {
		{ MARK_ARM, false, on_arm },
		{ MARK_BEGIN, true, on_begin },
		{ MARK_END, true, on_end },
		{ MARK_DISARM, true, on_disarm },
	};
	uint32_t mark = mark_of(insn);

	for (size_t i = 0; mark && i < sizeof(marks) / sizeof(*marks); i++) {
		if (marks[i].mark == mark && marks[i].armed == armed)
			qemu_plugin_register_vcpu_insn_exec_cb(insn, marks[i].call,
							       QEMU_PLUGIN_CB_NO_REGS, NULL);
	}
}

static void look_at_end(struct block *block, const struct qemu_plugin_insn *insn)
{
	const uint8_t *bytes = qemu_plugin_insn_data(insn);
	size_t size = qemu_plugin_insn_size(insn), at = 0;

	block->last = qemu_plugin_insn_vaddr(insn);
	block->after = block->last + size;
	block->ending = ENDS_OTHERWISE;
	/* Prefixes: segments (a call padded by the kernel's patching), REX, notrack and rep. */
	while (at < size && (bytes[at] == 0x2e || bytes[at] == 0x3e || bytes[at] == 0xf3 ||
			     bytes[at] == 0x66 || (bytes[at] & 0xf0) == 0x40))
		at++;
	if (at + 5 <= size && bytes[at] == 0xe8) {
		int32_t offset;

		memcpy(&offset, bytes + at + 1, sizeof(offset));
		block->ending = ENDS_CALL;
		block->target = block->after + (int64_t)offset;
	} else if (at + 2 <= size && bytes[at] == 0xff && (bytes[at + 1] >> 3 & 7) == 2) {
		block->ending = ENDS_CALL_INDIRECT;
	} else if (at < size && (bytes[at] == 0xc3 || bytes[at] == 0xc2)) {
		block->ending = ENDS_RETURN;
	} else if (at < size && bytes[at] == 0xcf) {
		block->ending = ENDS_IRET;
	}
}

/* mov %rsp, X(%rdi); mov X(%rsi), %rsp */
static bool moves_stack_pointer(const struct qemu_plugin_insn *insn)
{
	const uint8_t *bytes = qemu_plugin_insn_data(insn);

	return qemu_plugin_insn_size(insn) >= 4 && bytes[0] == 0x48 &&
	       ((bytes[1] == 0x89 && (bytes[2] & 0x3f) == 0x27) ||
		(bytes[1] == 0x8b && (bytes[2] & 0x3f) == 0x26));
}

static void on_translate(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	size_t count = qemu_plugin_tb_n_insns(tb);
	struct block *block = calloc(1, sizeof(*block));

	(void)id;
	block->start = qemu_plugin_tb_vaddr(tb);
	block->user = block->start >> 63 == 0;
	if (!block->user) {
		block->function = find_function(block->start);
		block->driver = in_driver(block->start);
		block->entry = block->function && block->function->address == block->start;
	}
	look_at_end(block, qemu_plugin_tb_get_insn(tb, count - 1));
	qemu_plugin_register_vcpu_tb_exec_cb(tb, on_block, QEMU_PLUGIN_CB_NO_REGS, block);
	for (size_t i = 0; i < count; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);

		qemu_plugin_register_vcpu_insn_exec_inline(insn, QEMU_PLUGIN_INLINE_ADD_U64,
							   &executed, 1);
		if (block->user)
			instrument_mark(insn, true);
		else if (block->function && block->function->switches) {
			if (moves_stack_pointer(insn))
				qemu_plugin_register_vcpu_mem_cb(insn, on_switch,
					QEMU_PLUGIN_CB_NO_REGS, QEMU_PLUGIN_MEM_RW, NULL);
		} else {
			qemu_plugin_register_vcpu_mem_cb(insn, on_access, QEMU_PLUGIN_CB_NO_REGS,
							 QEMU_PLUGIN_MEM_RW, NULL);
		}
	}
}

static void on_translate_at_rest(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	(void)id;
	if (qemu_plugin_tb_vaddr(tb) >> 63)
		return;
	for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); i++)
		instrument_mark(qemu_plugin_tb_get_insn(tb, i), false);
}

static void watch(qemu_plugin_id_t id)
{
	read_table();
	for (unsigned int i = 0; i < MAX_CPUS; i++) {
		cpus[i].stack = &cpus[i].unknown;
		cpus[i].unknown = (struct stack){ 0 };
		cpus[i].previous = &no_block;
	}
	for (unsigned int i = 0; i < TASK_SLOTS; i++) {
		if (tasks[i]) {
			tasks[i]->depth = 0;
			tasks[i]->context = REST;
		}
	}
	running = &no_block;
	running_context = REST;
	counting = false;
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_translate);
}

static void rest(qemu_plugin_id_t id)
{
	counting = false;
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_translate_at_rest);
}

QEMU_PLUGIN_EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc,
					   char **argv)
{
	if (strcmp(info->target_name, "x86_64") != 0)
		stop("this is for x86-64, and not for", info->target_name);
	for (int i = 0; i < argc; i++) {
		if (strncmp(argv[i], "table=", 6) == 0)
			table_path = strdup(argv[i] + 6);
		else if (strncmp(argv[i], "results=", 8) == 0)
			results_path = strdup(argv[i] + 8);
		else
			stop("unknown argument", argv[i]);
	}
	if (!table_path || !results_path)
		stop("needs table=FILE,results=FILE", "");
	functions = calloc(MAX_FUNCTIONS, sizeof(*functions));
	plugin = id;
	rest(id);
	return 0;
}
