// SPDX-License-Identifier: Apache-2.0
/** Files given by URL, which are downloaded once into the user's cache folder. */
@NullMarked
package org.relaydiffusion.launch.download;

import org.jspecify.annotations.NullMarked;
