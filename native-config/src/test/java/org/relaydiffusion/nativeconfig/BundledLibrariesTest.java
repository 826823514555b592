// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.nativeconfig;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class BundledLibrariesTest {
  @Test
  void wherePytorchIsPublishedAMissingLibraryNamesItsArtifact() {
    assertThat(BundledLibraries.notFound("libc10.so", "linux-x86_64", "pytorch"))
        .isEqualTo(
            "libc10.so for linux-x86_64 is not on the class or module path: add"
                + " org.bytedeco:pytorch with classifier linux-x86_64, or point RDM_LIBTORCH at a"
                + " folder with LibTorch");
  }

  @Test
  void anArtifactThatDoesNotExistIsNotAskedFor() {
    assertThat(BundledLibraries.notFound("libc10.so", "linux-arm64", "pytorch"))
        .isEqualTo(
            "no LibTorch for linux-arm64 is bundled (org.bytedeco:pytorch has none): point"
                + " RDM_LIBTORCH at a folder with LibTorch");
    assertThat(BundledLibraries.notFound("libopenblas.so.0", "linux-arm64", "openblas"))
        .contains("add org.bytedeco:openblas with classifier linux-arm64");
  }
}
