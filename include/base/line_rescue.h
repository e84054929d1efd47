#pragma once

/// A crash, a failed assert or an abort() waits until the writer has written what is queued, 200 ms at most; then the
/// process ends by the signal, where it came, as it would have without. A signal that somebody handles already, as a
/// sanitizer does, is left to it. A stack that is used up leaves no room for the handler: the lines are lost then.
namespace base::line_rescue {

void install() noexcept;
void remove() noexcept;

} // namespace base::line_rescue
