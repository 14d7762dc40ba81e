//! The Kubernetes back end on a real cluster: the one that `MCP_TEST_KUBECONFIG` names. Each test
//! has a namespace of its own and deletes it. Faults are played by annotations of the pods
//! (`test/pull`, `test/crash`, `test/ready`), which the stand-in for the kubelet honours, and by
//! writing the status of pods that it leaves alone.

mod answers;
mod clusters;
mod companions;
mod crash;
mod faults;
mod foreign;
mod gate;
mod life;
mod many;
pub mod place;
mod profiles;
mod races;
mod serving;
mod several;
