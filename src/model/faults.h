// SPDX-License-Identifier: GPL-2.0
// Deliberate misbehaviour, for testing drivers.
//
// One fault is a line of words, separated by blanks or colons:
//
//   SUBJECT DETAIL [NUMBER...] [xCOUNT] [skip OCCASIONS]
//
// COUNT is how often it happens; without it, until "fault clear". The first OCCASIONS pass. The
// lines are listed in faults.cc; control("help") prints them. In the configuration's option text a
// fault is written fault=LINE, entries are separated by ';' or ','.
#pragma once

#include "base/utility.h"
#include "model/text.h"

namespace mana::model {

enum class Fault : u8 {
  kRegistersGone,      // register map and mailbox read all ones
  kRegister,           // command: offset of a 32-bit word of the map; argument: its value
  kRemoved,            // the function is gone: reads all ones, nothing answers
  kMailboxSilent,
  kMailboxStatus,      // argument: status
  kMailboxGarbage,
  kHwcSilent,          // these: command, then the argument
  kHwcLate,            // argument: milliseconds
  kHwcTwice,
  kHwcStatus,          // argument: status
  kHwcGarbage,
  kHwcShort,           // argument: length in the completion
  kHwcLong,            // argument: length in the completion
  kHwcMessageId,       // argument: message id
  kHwcActivityId,
  kHwcPatch,           // argument: offset in the response << 32 | 32-bit word
  kHwcOwner,           // owner bits of the response's completion two laps ahead
  kInitNoDone,
  kInitMissing,        // argument: item
  kInitEqId,           // argument: EQ id
  kInitItem,           // command: item, argument: value
  kWqCqId,             // argument: CQ id in the CREATE_WQ_OBJ response
  kEqCqId,             // argument: CQ id in a completion event
  kEqOwner,            // owner bits of a completion event two laps ahead
  kRxLength,           // argument: length in the completion
  kRxType,             // argument: completion type
  kRxWq,               // wrong WQ id in the completion
  kRxOwner,            // owner bits two laps ahead
  kRxCoalesce,         // argument: no more packets in a completion
  kTxExtra,            // one completion too many
  kTxType,             // argument: completion type
  kTxDisable,          // type 42 for the next WQE
  kInterruptDrop,      // argument: every n-th
  kFrameDrop,          // argument: every n-th
  kCount,
};

class Faults : NonCopyable {
 public:
  static constexpr u32 kMaxRules = 32;
  static constexpr u32 kAnyCommand = 0xFFFFFFFF;

  struct Rule {
    Fault fault = Fault::kCount;
    u32 command = kAnyCommand;
    u64 argument = 0;
    u64 remaining = 0;  // times; 0: unused rule
    u64 seen = 0;       // occasions, of the every-n-th kinds
    u64 skip = 0;       // occasions that pass before the first
  };

  // Reads one line. False if it makes no sense or there are too many.
  bool add(TextReader& line);
  void clear();

  // True if the fault happens now, which uses up one of its count. `argument` gets its number.
  bool take(Fault fault, u64* argument = nullptr) { return take(fault, kAnyCommand, argument); }
  bool take(Fault fault, u32 command, u64* argument) {
    return (kinds_ >> static_cast<u32>(fault) & 1) != 0 && take_slowly(fault, command, argument);
  }
  // For the kinds that hit every n-th occasion: counts this one.
  bool take_every(Fault fault) {
    return (kinds_ >> static_cast<u32>(fault) & 1) != 0 && take_every_slowly(fault);
  }
  // Calls `function` with the number of every rule of the kind, where take() stops at the first.
  template <typename Function>
  void take_each(Fault fault, u32 command, Function function) {
    if ((kinds_ >> static_cast<u32>(fault) & 1) == 0)
      return;
    for (Rule& rule : rules_) {
      if (!matches(rule, fault, command))
        continue;
      function(rule.argument);
      use(rule);
    }
  }
  // True while the fault is set; uses up nothing.
  bool active(Fault fault) const { return (kinds_ >> static_cast<u32>(fault) & 1) != 0; }

  void list(TextWriter& writer) const;
  static void help(TextWriter& writer);

 private:
  static bool matches(const Rule& rule, Fault fault, u32 command) {
    return rule.remaining != 0 && rule.fault == fault &&
           (rule.command == kAnyCommand || rule.command == command);
  }
  bool take_slowly(Fault fault, u32 command, u64* argument);
  bool take_every_slowly(Fault fault);
  bool insert(const Rule& rule);
  void use(Rule& rule);
  void refresh();

  u64 kinds_ = 0;  // bit per Fault that has a rule
  Rule rules_[kMaxRules];
};
static_assert(static_cast<u32>(Fault::kCount) <= 64);

}  // namespace mana::model
