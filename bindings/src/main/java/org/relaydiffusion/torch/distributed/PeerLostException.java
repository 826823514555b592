// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.distributed;

import java.util.regex.Pattern;
import org.relaydiffusion.nativeconfig.SystemErrors;
import org.relaydiffusion.torch.TorchException;

/**
 * Another process of the job is gone, or did not answer in time. This one did nothing wrong: to
 * start all processes again may help.
 */
public final class PeerLostException extends TorchException {
  private static final long serialVersionUID = 1L;

  /** How Gloo, NCCL and TCPStore say that the other side is gone or silent, in English. */
  private static final Pattern REASON =
      Pattern.compile(
          "closed by peer|reset by peer|broken pipe|pair closure|connection refused"
              + "|timed out|timeout|remote process|remote_?error|remote server shutdown",
          Pattern.CASE_INSENSITIVE);

  PeerLostException(String message) {
    super(message);
  }

  /** An exception that fits the reason which LibTorch gave. */
  static TorchException orOther(String message, String reason) {
    boolean lost =
        REASON.matcher(reason).find()
            || SystemErrors.peerLost().stream().anyMatch(reason::contains);
    return lost ? new PeerLostException(message) : new TorchException(message);
  }
}
