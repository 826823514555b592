// SPDX-License-Identifier: Apache-2.0
/**
 * Files in the safetensors format: mapped and used where they lie, written in one pass, and checked
 * against the file's real length before anything is believed.
 */
@NullMarked
package org.relaydiffusion.model.safetensors;

import org.jspecify.annotations.NullMarked;
