// SPDX-License-Identifier: GPL-2.0
#include "model/faults.h"

namespace mana::model {
namespace {

constexpr u64 kForever = ~0ull;

enum class Numbers : u8 {
  kNone,
  kOne,       // one number, required
  kOptional,  // one number, or `preset`
  kTwo,       // an item and a value
  kPatch,     // an offset and a value, both in the argument
};

struct Syntax {
  const char* subject;
  const char* detail;  // "" if the subject says it all
  Fault fault;
  Numbers numbers;
  u64 preset;
  const char* help;
};

// After "hwc" comes the command code, or "any".
constexpr Syntax kSyntax[] = {
    {"registers", "", Fault::kRegistersGone, Numbers::kNone, 0,
     "registers: map and mailbox read all ones"},
    {"register", "", Fault::kRegister, Numbers::kTwo, 0,
     "register OFFSET VALUE: a 32-bit word of the map"},
    {"removed", "", Fault::kRemoved, Numbers::kNone, 0, "removed: the function is gone"},
    {"mailbox", "silent", Fault::kMailboxSilent, Numbers::kNone, 0,
     "mailbox silent: never answers"},
    {"mailbox", "status", Fault::kMailboxStatus, Numbers::kOptional, 1, "mailbox status [N]"},
    {"mailbox", "garbage", Fault::kMailboxGarbage, Numbers::kNone, 0, "mailbox garbage"},
    {"hwc", "silent", Fault::kHwcSilent, Numbers::kNone, 0, "hwc CODE|any silent: never answers"},
    {"hwc", "late", Fault::kHwcLate, Numbers::kOne, 0, "hwc CODE|any late MILLISECONDS"},
    {"hwc", "twice", Fault::kHwcTwice, Numbers::kNone, 0, "hwc CODE|any twice"},
    {"hwc", "status", Fault::kHwcStatus, Numbers::kOptional, 1,
     "hwc CODE|any status [N]: not executed"},
    {"hwc", "garbage", Fault::kHwcGarbage, Numbers::kNone, 0, "hwc CODE|any garbage"},
    {"hwc", "short", Fault::kHwcShort, Numbers::kOptional, 16, "hwc CODE|any short [BYTES]"},
    {"hwc", "long", Fault::kHwcLong, Numbers::kOptional, 8192, "hwc CODE|any long [BYTES]"},
    {"hwc", "message-id", Fault::kHwcMessageId, Numbers::kOptional, 0x7777,
     "hwc CODE|any message-id [N]"},
    {"hwc", "activity-id", Fault::kHwcActivityId, Numbers::kNone, 0,
     "hwc CODE|any activity-id: a wrong one"},
    {"hwc", "patch", Fault::kHwcPatch, Numbers::kPatch, 0,
     "hwc CODE|any patch OFFSET VALUE: a 32-bit word of the response"},
    {"hwc", "owner", Fault::kHwcOwner, Numbers::kNone, 0,
     "hwc CODE|any owner: owner bits two laps ahead"},
    {"init", "no-done", Fault::kInitNoDone, Numbers::kNone, 0, "init no-done: no event 131"},
    {"init", "missing", Fault::kInitMissing, Numbers::kOne, 0, "init missing ITEM: 0 is event 129"},
    {"init", "eq-id", Fault::kInitEqId, Numbers::kOptional, 0xFFFF, "init eq-id [N]"},
    {"init", "item", Fault::kInitItem, Numbers::kTwo, 0, "init item ITEM VALUE"},
    {"wq", "cq-id", Fault::kWqCqId, Numbers::kOptional, 0x00FFFFFF,
     "wq cq-id [N]: in CREATE_WQ_OBJ"},
    {"eq", "cq-id", Fault::kEqCqId, Numbers::kOptional, 0xFFFFFF,
     "eq cq-id [N]: in completion events of data EQs"},
    {"eq", "owner", Fault::kEqOwner, Numbers::kNone, 0,
     "eq owner: owner bits two laps ahead, data EQs"},
    {"rx", "length", Fault::kRxLength, Numbers::kOne, 0, "rx length BYTES: in the completion"},
    {"rx", "type", Fault::kRxType, Numbers::kOne, 0, "rx type N"},
    {"rx", "wq", Fault::kRxWq, Numbers::kNone, 0, "rx wq: a wrong WQ id"},
    {"rx", "owner", Fault::kRxOwner, Numbers::kNone, 0, "rx owner: owner bits two laps ahead"},
    {"rx", "coalesce", Fault::kRxCoalesce, Numbers::kOne, 0,
     "rx coalesce N: no more packets in a completion, 1 is never"},
    {"tx", "extra", Fault::kTxExtra, Numbers::kNone, 0, "tx extra: one completion too many"},
    {"tx", "type", Fault::kTxType, Numbers::kOne, 0, "tx type N"},
    {"tx", "disable", Fault::kTxDisable, Numbers::kNone, 0, "tx disable: type 42, SQ disabled"},
    {"interrupt", "drop", Fault::kInterruptDrop, Numbers::kOptional, 1, "interrupt drop [EVERY]"},
    {"frame", "drop", Fault::kFrameDrop, Numbers::kOptional, 1, "frame drop [EVERY]"},
};

const Syntax* find(Word subject, Word detail) {
  for (const Syntax& syntax : kSyntax) {
    if (subject.is(syntax.subject) && (syntax.detail[0] == '\0' || detail.is(syntax.detail)))
      return &syntax;
  }
  return nullptr;
}

const Syntax& of(Fault fault) {
  for (const Syntax& syntax : kSyntax) {
    if (syntax.fault == fault)
      return syntax;
  }
  return kSyntax[0];
}

bool is_count(Word word, u64& count) {
  return word.length > 1 && word.begin[0] == 'x' &&
         Word{word.begin + 1, word.length - 1}.number(count);
}

}  // namespace

bool Faults::add(TextReader& line) {
  Rule rule;
  rule.remaining = kForever;
  const Word subject = line.next();
  if (subject.is("hwc")) {
    u64 command = 0;
    const Word code = line.next();
    if (!code.is("any")) {
      if (!code.number(command) || command >= kAnyCommand)
        return false;
      rule.command = static_cast<u32>(command);
    }
  }
  Word word = line.next();
  const Syntax* syntax = find(subject, word);
  if (!syntax)
    return false;
  if (syntax->detail[0] != '\0')
    word = line.next();
  rule.fault = syntax->fault;
  rule.argument = syntax->preset;
  u64 item = 0;
  if (syntax->numbers == Numbers::kTwo || syntax->numbers == Numbers::kPatch) {
    if (!word.number(item) || item > (syntax->numbers == Numbers::kTwo ? 0xFF : 0xFFC))
      return false;
    if (syntax->numbers == Numbers::kTwo)
      rule.command = static_cast<u32>(item);
    word = line.next();
  }
  if (syntax->numbers != Numbers::kNone) {
    if (word.number(rule.argument))
      word = line.next();
    else if (syntax->numbers != Numbers::kOptional)
      return false;
  }
  if (syntax->numbers == Numbers::kPatch)
    rule.argument = item << 32 | (rule.argument & 0xFFFFFFFF);
  if (!word.empty() && !word.is("skip")) {
    if (!is_count(word, rule.remaining) || rule.remaining == 0)
      return false;
    word = line.next();
  }
  if (word.is("skip")) {
    if (!line.next().number(rule.skip))
      return false;
    word = line.next();
  }
  return word.empty() && insert(rule);
}

bool Faults::insert(const Rule& rule) {
  for (Rule& slot : rules_) {
    if (slot.remaining == 0) {
      slot = rule;
      refresh();
      return true;
    }
  }
  return false;
}

void Faults::clear() {
  for (Rule& rule : rules_)
    rule = Rule{};
  refresh();
}

void Faults::refresh() {
  kinds_ = 0;
  for (const Rule& rule : rules_) {
    if (rule.remaining > 0)
      kinds_ |= 1ull << static_cast<u32>(rule.fault);
  }
}

void Faults::use(Rule& rule) {
  if (rule.remaining != kForever && --rule.remaining == 0)
    refresh();
}

bool Faults::take_slowly(Fault fault, u32 command, u64* argument) {
  for (Rule& rule : rules_) {
    if (!matches(rule, fault, command))
      continue;
    if (rule.skip > 0) {
      rule.skip--;
      continue;
    }
    if (argument)
      *argument = rule.argument;
    use(rule);
    return true;
  }
  return false;
}

bool Faults::take_every_slowly(Fault fault) {
  for (Rule& rule : rules_) {
    if (rule.remaining == 0 || rule.fault != fault)
      continue;
    if (rule.argument > 1 && ++rule.seen % rule.argument != 0)
      continue;
    use(rule);
    return true;
  }
  return false;
}

void Faults::list(TextWriter& writer) const {
  bool first = true;
  for (const Rule& rule : rules_) {
    if (rule.remaining == 0)
      continue;
    const Syntax& syntax = of(rule.fault);
    writer.text(first ? "" : "; ").text(syntax.subject);
    if (rule.fault >= Fault::kHwcSilent && rule.fault <= Fault::kHwcOwner) {
      if (rule.command == kAnyCommand)
        writer.text(" any");
      else
        writer.text(" ").hex(rule.command);
    }
    if (syntax.detail[0] != '\0')
      writer.text(" ").text(syntax.detail);
    if (syntax.numbers == Numbers::kTwo)
      writer.text(" ").number(rule.command);
    if (syntax.numbers == Numbers::kPatch)
      writer.text(" ").number(rule.argument >> 32);
    if (syntax.numbers != Numbers::kNone)
      writer.text(" ").number(rule.argument & 0xFFFFFFFF);
    if (rule.remaining != kForever)
      writer.text(" x").number(rule.remaining);
    first = false;
  }
  if (first)
    writer.text("none");
}

void Faults::help(TextWriter& writer) {
  for (const Syntax& syntax : kSyntax)
    writer.text("; fault ").text(syntax.help);
}

}  // namespace mana::model
