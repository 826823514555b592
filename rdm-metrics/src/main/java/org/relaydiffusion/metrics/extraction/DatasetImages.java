// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics.extraction;

import java.nio.file.Path;
import java.util.Iterator;
import org.relaydiffusion.diffusion.data.DataLoader;
import org.relaydiffusion.diffusion.data.DatasetOptions;
import org.relaydiffusion.diffusion.data.ImageFolderDataset;
import org.relaydiffusion.torch.Device;

/**
 * The images of a folder or zip, decoded ahead by threads.
 *
 * @param dataset owned by this object
 */
record DatasetImages(ImageFolderDataset dataset) implements ImageSet {
  static DatasetImages open(ExtractionOptions options) {
    DatasetOptions taken = DatasetOptions.DEFAULT.without(options.without());
    if (options.maxImages().isPresent()) {
      taken = taken.withAtMost(options.maxImages().getAsInt(), options.subsetSeed());
    }
    return new DatasetImages(ImageFolderDataset.open(options.data(), taken));
  }

  @Override
  public int size() {
    return dataset.size();
  }

  @Override
  public int all() {
    return dataset.sourceSize();
  }

  @Override
  public String fingerprint() {
    return dataset.fingerprint(dataset.size());
  }

  @Override
  public Path file(int index) {
    return dataset.file(index);
  }

  @Override
  public Reading read(Iterator<int[]> batches, int workers, Device device) {
    DataLoader loader = new DataLoader(dataset, batches, workers, device);
    return new Reading() {
      @Override
      public Batch next() {
        org.relaydiffusion.diffusion.data.Batch batch = loader.next();
        batch.labels().close();
        return new Batch(batch.images(), batch.indices());
      }

      @Override
      public void close() {
        loader.close();
      }
    };
  }

  @Override
  public void close() {
    dataset.close();
  }
}
