// SPDX-License-Identifier: GPL-2.0
// The SQs with work, in turn.
#pragma once

#include "model/work_queue.h"

namespace mana::model {

class TxSchedule : NonCopyable {
 public:
  bool empty() const { return first_ == nullptr; }

  // Behind the others, unless it waits already or has nothing to do.
  void add(WorkQueue* sq) {
    if (sq->scheduled || !sq->has_work())
      return;
    sq->scheduled = true;
    sq->next_scheduled = nullptr;
    (last_ ? last_->next_scheduled : first_) = sq;
    last_ = sq;
  }

  // The one that waited longest; there must be one.
  WorkQueue* take() {
    WorkQueue* sq = first_;
    first_ = sq->next_scheduled;
    if (!first_)
      last_ = nullptr;
    sq->scheduled = false;
    return sq;
  }

  // M-44: the SQ is about to go.
  void forget(WorkQueue* sq) {
    if (!sq->scheduled)
      return;
    sq->scheduled = false;
    WorkQueue* previous = nullptr;
    for (WorkQueue* at = first_; at != sq; at = at->next_scheduled)
      previous = at;
    (previous ? previous->next_scheduled : first_) = sq->next_scheduled;
    if (last_ == sq)
      last_ = previous;
  }

 private:
  WorkQueue* first_ = nullptr;
  WorkQueue* last_ = nullptr;
};

}  // namespace mana::model
