// SPDX-License-Identifier: Apache-2.0
/** A program that knows of RDM only its binding. */
module org.example.mlp {
  requires org.relaydiffusion.torch;
}
