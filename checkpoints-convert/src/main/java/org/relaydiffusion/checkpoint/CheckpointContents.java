// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint;

import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The contents of a file, regardless of its container. */
record CheckpointContents(
    Map<String, NetworkRecord> networks,
    Map<String, StoredTensor> tensors,
    Optional<OptimizerRecord> optimizer,
    Map<String, CheckpointEntry> others,
    Map<String, @Nullable Object> extra) {}
