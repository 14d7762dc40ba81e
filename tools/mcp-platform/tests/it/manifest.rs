//! The Kubernetes objects of every kind of server: what must hold whatever the server is.

pub mod cases;
mod rendered;
mod validate;

use mcp_platform::manifest::{
    PROFILES, Pause, RenderOptions, SecretValues, divide, objects, termination, write,
};
use mcp_platform::model::{Exposure, Name, Spec, Statefulness, Transport};
use serde_json::{Value, json};

use cases::{every, spec};

fn of<'a>(objects: &'a [Value], kind: &str) -> Vec<&'a Value> {
    objects
        .iter()
        .filter(|object| object["kind"] == kind)
        .collect()
}

fn workload(objects: &[Value]) -> &Value {
    objects
        .iter()
        .find(|object| {
            (object["kind"] == "Deployment" || object["kind"] == "StatefulSet")
                && object["metadata"]["labels"]["app.kubernetes.io/component"] == "mcp-server"
        })
        .unwrap()
}

fn within(part: &Value, whole: &Value) -> bool {
    part.as_object()
        .unwrap()
        .iter()
        .all(|(key, value)| whole.get(key) == Some(value))
}

#[test]
fn what_selects_pods_finds_them() {
    for case in every() {
        let objects = case.objects();
        let mut pods: Vec<&Value> = of(&objects, "Deployment");
        pods.extend(of(&objects, "StatefulSet"));
        for pod in &pods {
            let labels = &pod["spec"]["template"]["metadata"]["labels"];
            assert!(
                within(&pod["spec"]["selector"]["matchLabels"], labels),
                "{}",
                case.word
            );
        }
        let found = |selector: &Value| {
            pods.iter()
                .any(|pod| within(selector, &pod["spec"]["template"]["metadata"]["labels"]))
        };
        for object in &objects {
            let selector = match object["kind"].as_str().unwrap() {
                "Service" => &object["spec"]["selector"],
                "PodDisruptionBudget" => &object["spec"]["selector"]["matchLabels"],
                "NetworkPolicy" => &object["spec"]["podSelector"]["matchLabels"],
                _ => continue,
            };
            let kernels = selector["app.kubernetes.io/component"] == "kernel";
            assert!(kernels || found(selector), "{}: {object}", case.word);
        }
    }
}

#[test]
fn names_are_unique_and_fit_also_the_longest() {
    for mut case in every() {
        case.spec.identity.name = Name::server(&"1".repeat(51)).unwrap();
        let mut seen = std::collections::BTreeSet::new();
        for object in case.objects() {
            let (kind, name) = (
                object["kind"].as_str().unwrap(),
                object["metadata"]["name"].as_str().unwrap(),
            );
            let limit = match kind {
                "ConfigMap" | "Secret" | "PersistentVolumeClaim" | "NetworkPolicy" => 253,
                _ => 63,
            };
            assert!(name.len() <= limit, "{kind} {name}");
            let server_service = kind == "Service" && !name.starts_with("1");
            if kind == "Service"
                && object["metadata"]["labels"]["app.kubernetes.io/component"] == "mcp-server"
            {
                assert!(server_service, "a Service starts with a letter: {name}");
            }
            assert!(
                seen.insert((kind.to_owned(), name.to_owned())),
                "{kind} {name} twice"
            );
            for (key, value) in object["metadata"]["labels"].as_object().unwrap() {
                assert!(value.as_str().unwrap().len() <= 63, "{key}");
                assert!(!value.as_str().unwrap().contains('+'), "{key}: {value}");
            }
        }
    }
}

#[test]
fn the_pause_and_the_sessions_fit_into_the_grace() {
    for grace_seconds in [0, 1, 2, 10, 30, 600] {
        for drain_seconds in [0, 1, 10, 30, 600] {
            let spec = Spec {
                grace_seconds,
                drain_seconds,
                ..spec()
            };
            let times = termination(&spec);
            assert!(times.pre_stop >= 1);
            assert!(times.pre_stop + drain_seconds < times.grace, "{times:?}");
            assert!(times.grace >= grace_seconds);
        }
    }
}

#[test]
fn statefulness_decides() {
    for case in every() {
        let objects = case.objects();
        let workload = workload(&objects);
        let lasting = case.spec.volumes.iter().any(|volume| volume.size > 0);
        let autoscaled = !of(&objects, "HorizontalPodAutoscaler").is_empty();
        let service = of(&objects, "Service")
            .into_iter()
            .find(|one| one["metadata"]["name"] == "notes")
            .unwrap();
        let affinity = &service["spec"]["sessionAffinity"];
        match case.spec.statefulness {
            Statefulness::Singleton => {
                assert_eq!(workload["kind"], "Deployment");
                assert_eq!(workload["spec"]["replicas"], 1);
                assert_eq!(workload["spec"]["strategy"]["type"], "Recreate");
                assert!(!autoscaled && of(&objects, "PodDisruptionBudget").is_empty());
                let claim = of(&objects, "PersistentVolumeClaim")
                    .into_iter()
                    .any(|claim| {
                        claim["metadata"]["name"] == "notes-data"
                            && claim["spec"]["accessModes"] == json!(["ReadWriteOnce"])
                    });
                assert_eq!(claim, lasting, "{}", case.word);
                assert!(affinity.is_null());
            }
            Statefulness::Stateless | Statefulness::Sticky => {
                assert_eq!(
                    workload["kind"],
                    if lasting { "StatefulSet" } else { "Deployment" }
                );
                assert_eq!(
                    workload["spec"]["replicas"].is_null(),
                    autoscaled,
                    "{}",
                    case.word
                );
                assert_eq!(of(&objects, "PodDisruptionBudget").len(), 1);
                let sticky = case.spec.statefulness == Statefulness::Sticky;
                assert_eq!(affinity == "ClientIP", sticky);
                let seconds =
                    &service["spec"]["sessionAffinityConfig"]["clientIP"]["timeoutSeconds"];
                assert_eq!(*seconds == 86_400, sticky);
                let local = service["spec"]["externalTrafficPolicy"] == "Local";
                assert_eq!(
                    local,
                    sticky && case.spec.exposure == Exposure::LoadBalancer
                );
            }
        }
    }
}

#[test]
fn pods_say_where_they_are_and_what_they_are_made_of() {
    for case in every() {
        let objects = case.objects();
        let template = &workload(&objects)["spec"]["template"];
        let annotations = &template["metadata"]["annotations"];
        assert_eq!(annotations["io.mcp-shipyard.commit"], "0123abc");
        assert_eq!(annotations["io.mcp-shipyard.wheel.sha256"], "0f".repeat(32));
        assert_eq!(annotations["prometheus.io/port"], "8080");
        let environment = template["spec"]["containers"][0]["env"].as_array().unwrap();
        let namespace = environment
            .iter()
            .find(|one| one["name"] == "POD_NAMESPACE")
            .unwrap();
        assert_eq!(
            namespace["valueFrom"]["fieldRef"]["fieldPath"],
            "metadata.namespace"
        );
        let manages = case.spec.manages_kernels;
        assert_eq!(
            template["metadata"]["labels"]["app"] == "mcp-server-manager",
            manages
        );
        assert_eq!(template["spec"]["automountServiceAccountToken"], manages);
        assert_eq!(of(&objects, "Role").len(), usize::from(manages));
        assert_eq!(of(&objects, "RoleBinding").len(), usize::from(manages));
    }
}

#[test]
fn secrets_are_in_secrets_only_and_left_out_unless_asked_for() {
    for case in every() {
        for object in case
            .objects()
            .iter()
            .filter(|object| object["kind"] != "Secret")
        {
            assert!(
                !object.to_string().contains("hunter"),
                "{}: {object}",
                case.word
            );
        }
    }
    let case = every().remove(0);
    let text = case.text();
    assert!(!text.contains("hunter"));
    let revision = case.spec.revision();
    assert!(text.contains(&format!(
        "create secret generic notes-secret-{revision} --from-file=MCP_TOKEN=FILE --from-file=file.0=FILE"
    )));
    let (all, none) = divide(case.objects(), SecretValues::Written);
    assert!(none.is_empty() && write("", &all, &none).unwrap().contains("hunter2"));
}

#[test]
fn another_configuration_has_another_name_and_the_old_one_stays() {
    let names = |spec: &Spec| -> Vec<String> {
        objects(spec, &RenderOptions::default())
            .iter()
            .filter(|object| object["kind"] == "ConfigMap")
            .map(|object| object["metadata"]["name"].as_str().unwrap().to_owned())
            .collect()
    };
    let one = spec();
    let mut other = spec();
    other
        .environment
        .insert("LOG_LEVEL".to_owned(), "debug".to_owned());
    assert_ne!(names(&one), names(&other));
    assert_eq!(
        names(&one),
        names(&Spec {
            replicas: 9,
            ..spec()
        }),
        "a number is no change"
    );
    assert_eq!(names(&one), [format!("notes-config-{}", one.revision())]);
}

#[test]
fn a_server_on_standard_input_and_output_is_bridged() {
    let spec = Spec {
        transport: Transport::Stdio,
        health: None,
        ready: None,
        ..spec()
    };
    let all = objects(&spec, &RenderOptions::default());
    let pod = &workload(&all)["spec"]["template"]["spec"];
    assert_eq!(pod["initContainers"][0]["name"], "bridge");
    let pause = &pod["containers"][0]["lifecycle"]["preStop"];
    let seconds = termination(&spec).pre_stop.to_string();
    let command = json!(["/mcp/mcp-platform", "bridge", "--pause", seconds]);
    assert_eq!(pause["exec"]["command"], command);
    // The image needs neither a shell nor `cp`.
    assert_eq!(
        pod["initContainers"][0]["command"],
        json!(["mcp-platform", "bridge", "--install", "/mcp"])
    );
    let container = &pod["containers"][0];
    assert_eq!(container["command"], json!(["/mcp/mcp-platform"]));
    assert_eq!(
        container["args"],
        json!([
            "bridge",
            "--host",
            "0.0.0.0",
            "--port",
            "8080",
            "--bearer-variable",
            "MCP_TOKEN",
            "--",
            "server",
            "--port",
            "8080",
            "$$(HOME)"
        ])
    );
    assert_eq!(container["readinessProbe"]["httpGet"]["path"], "/ready");
}

#[test]
fn companions_are_reached_only_by_their_server_and_who_says_so() {
    let all = objects(&spec(), &RenderOptions::default());
    let policy = of(&all, "NetworkPolicy")
        .into_iter()
        .find(|one| one["metadata"]["name"] == "notes-mongodb")
        .unwrap();
    let from = policy["spec"]["ingress"][0]["from"].as_array().unwrap();
    let who: Vec<&Value> = from
        .iter()
        .map(|peer| &peer["podSelector"]["matchLabels"])
        .collect();
    assert_eq!(who.len(), 2);
    assert_eq!(who[0]["app.kubernetes.io/component"], "mcp-server");
    assert_eq!(who[1]["mcp-platform/companion"], "admin");
    assert!(
        from.iter()
            .all(|peer| peer.get("namespaceSelector").is_none())
    );
    let names: Vec<&Value> = of(&all, "Deployment")
        .iter()
        .map(|one| &one["metadata"]["name"])
        .collect();
    assert_eq!(
        names,
        ["notes-mongodb", "notes-admin", "notes"],
        "what is not enabled is not there"
    );
    let admin = of(&all, "Deployment")[1];
    let environment = admin["spec"]["template"]["spec"]["containers"][0]["env"].clone();
    assert_eq!(
        environment[0],
        json!({"name": "SERVER", "value": "notes-mongodb"})
    );
    assert_eq!(
        environment[1]["valueFrom"]["secretKeyRef"],
        json!({"name": "notes-admin", "key": "PASSWORD"})
    );
}

#[test]
fn policies_open_what_is_declared_and_nothing_else() {
    let all = objects(&spec(), &RenderOptions::default());
    let policy = of(&all, "NetworkPolicy")
        .into_iter()
        .find(|one| one["metadata"]["name"] == "notes")
        .unwrap();
    let own_namespace = json!([{
        "from": [{ "podSelector": {} }],
        "ports": [{ "protocol": "TCP", "port": 8080 }],
    }]);
    assert_eq!(policy["spec"]["ingress"], own_namespace);
    let egress = policy["spec"]["egress"].as_array().unwrap();
    assert_eq!(
        egress[0],
        json!({
            "to": [{ "namespaceSelector": { "matchLabels": { "kubernetes.io/metadata.name": "kube-system" } } }],
            "ports": [{ "protocol": "UDP", "port": 53 }, { "protocol": "TCP", "port": 53 }],
        })
    );
    assert_eq!(egress.len(), 1 + 2 + 3, "names, companions, declared peers");
    assert_eq!(egress[1]["ports"][0]["port"], 27017);
    assert!(
        egress[3]["to"][0]["ipBlock"]["except"]
            .as_array()
            .unwrap()
            .contains(&json!("10.0.0.0/8"))
    );
}

#[test]
fn the_pause_fits_the_cluster_and_the_grace() {
    let with = |pause: Pause| {
        let options = RenderOptions {
            pause,
            ..RenderOptions::default()
        };
        let all = objects(&spec(), &options);
        let pod = &workload(&all)["spec"]["template"]["spec"];
        let grace = pod["terminationGracePeriodSeconds"].as_u64().unwrap();
        (pod["containers"][0]["lifecycle"]["preStop"].clone(), grace)
    };
    let seconds = termination(&spec()).pre_stop;
    let (command, grace) = with(Pause::Command);
    let words = json!(["sleep", seconds.to_string()]);
    assert_eq!(command["exec"]["command"], words);
    assert!(u64::from(seconds) * 2 < grace);
    let (action, _) = with(Pause::Action);
    assert_eq!(action, json!({ "sleep": { "seconds": seconds } }));
}

#[test]
fn each_controller_is_told_in_its_own_words() {
    let told = |profile: usize| {
        let spec = Spec {
            statefulness: Statefulness::Sticky,
            exposure: Exposure::Ingress {
                host: "mcp.example".to_owned(),
                tls_secret: None,
            },
            ..spec()
        };
        let options = RenderOptions {
            profile: PROFILES[profile],
            ..RenderOptions::default()
        };
        let all = objects(&spec, &options);
        let ingress = of(&all, "Ingress")[0].clone();
        let kinds = of(&all, "BackendConfig").len();
        (
            ingress["spec"]["ingressClassName"].clone(),
            ingress["metadata"]["annotations"].to_string(),
            kinds,
        )
    };
    assert_eq!(told(0), (Value::Null, "null".to_owned(), 0));
    let (class, nginx, _) = told(1);
    assert_eq!(class, "nginx");
    assert!(nginx.contains("proxy-read-timeout\":\"3600") && nginx.contains("affinity\":\"cookie"));
    let (class, eks, _) = told(2);
    assert_eq!(class, "alb");
    assert!(
        eks.contains("idle_timeout.timeout_seconds=4000")
            && eks.contains("stickiness.enabled=true")
    );
    let (class, gke, kinds) = told(3);
    assert!(class.is_null() && gke.contains("\"gce\"") && kinds == 1);
    let (class, aks, _) = told(4);
    assert_eq!(class, "azure-application-gateway");
    assert!(
        aks.contains("cookie-based-affinity\":\"true") && aks.contains("request-timeout\":\"3600")
    );
}

#[test]
fn the_security_context_is_restricted() {
    for case in every() {
        for object in case.objects() {
            let pod = &object["spec"]["template"]["spec"];
            let lists = [&pod["containers"], &pod["initContainers"]];
            for container in lists.iter().filter_map(|list| list.as_array()).flatten() {
                let security = &container["securityContext"];
                assert_eq!(security["runAsNonRoot"], true);
                assert_eq!(security["allowPrivilegeEscalation"], false);
                assert_eq!(security["capabilities"]["drop"], json!(["ALL"]));
                assert_eq!(security["seccompProfile"]["type"], "RuntimeDefault");
                assert!(container["resources"]["limits"]["memory"].is_string());
            }
        }
    }
}
