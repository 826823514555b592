/** Files given by URL, which are downloaded once into the user's cache folder. */
@NullMarked
package org.relaydiffusion.launch.download;

import org.jspecify.annotations.NullMarked;
