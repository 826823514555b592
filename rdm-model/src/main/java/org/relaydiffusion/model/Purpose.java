// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.model;

import org.relaydiffusion.model.layer.Execution;

/** What a network's values are for. */
enum Purpose {
  /** They are never written, and may be packed. */
  EVALUATION,
  /** An optimizer or an average writes them in place. */
  TRAINING;

  /** How a network computes that is loaded so. */
  Execution execution(LoadOptions options) {
    return switch (this) {
      case EVALUATION -> options.evaluation();
      case TRAINING -> options.training();
    };
  }
}
