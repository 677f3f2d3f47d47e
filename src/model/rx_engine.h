// SPDX-License-Identifier: GPL-2.0
// The receiving half of a vPort: steer, write the buffer, complete (data sheet 8.7).
#pragma once

#include "model/vport.h"

namespace mana::model {

class RxEngine : NonCopyable {
 public:
  explicit RxEngine(Context& context) : context_{context} {}

  // False if the frame was dropped, which is counted.
  bool deliver(Vport& vport, Frame& frame);

  // M-46: a marker behind all completions so far; takes no WQE.
  void fence(WorkQueue& rq);

  // Completes what was received and waits for more of its kind.
  void flush(WorkQueue& rq);
  void flush(const Vport& vport);

 private:
  bool drop_no_wqe(Vport& vport);
  bool scatter(const Wqe& wqe, const Frame& frame);
  void complete(Vport& vport, WorkQueue& rq, const Wqe& wqe, Frame& frame, const RxHash& hash,
                bool truncated);
  u32 batch_limit(const Vport& vport);
  void post(WorkQueue& rq, const RxBatch& batch);
  void count(Vport& vport, const Frame& frame);

  Context& context_;
  Wqe wqe_;
};

}  // namespace mana::model
