// A session of stock kubectl: what a person types, one line after the other, and what they must see. Each line is run by a
// shell with `kubectl` in PATH. Lines marked `since` use what only the newer kubectl has.

export interface Line {
  readonly run: string;
  readonly input?: string;
  /** All of these are in what was printed, on either output. */
  readonly want: readonly (string | RegExp)[];
  /** Exit code; default 0. */
  readonly code?: number;
  readonly since?: '1.35';
}

const web = `
apiVersion: apps/v1
kind: Deployment
metadata: { name: web, labels: { app: web } }
spec:
  replicas: 2
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec: { containers: [{ name: main, image: web:1, ports: [{ containerPort: 80 }] }] }
`;
const settings = `
apiVersion: v1
kind: ConfigMap
metadata: { name: settings }
data: { color: COLOR }
`;

const often = `
apiVersion: batch/v1
kind: CronJob
metadata: { name: often }
spec:
  schedule: '*/5 * * * *'
  jobTemplate: { spec: { template: { spec: { restartPolicy: Never, containers: [{ name: main, image: web:1 }] } } } }
`;

export const session: readonly Line[] = [
  { run: 'kubectl version', want: [/Server Version/, 'v1.35.0+k8ts'] },
  { run: 'kubectl cluster-info', want: ['is running at', 'https://127.0.0.1:'] },
  { run: 'kubectl api-versions', want: [/^v1$/m, /^apps\/v1$/m, 'rbac.authorization.k8s.io/v1'] },
  { run: 'kubectl api-resources --namespaced=false', want: [/^nodes +no +v1 +false +Node$/m] },
  { run: 'kubectl create namespace shop', want: ['namespace/shop created'] },
  {
    run: 'kubectl create namespace shop',
    want: ['Error from server (AlreadyExists): namespaces "shop" already exists'],
    code: 1,
  },
  { run: 'kubectl config set-context --current --namespace=shop', want: ['Context "', 'modified.'] },
  { run: 'kubectl apply -f -', input: web, want: ['deployment.apps/web created'] },
  { run: 'kubectl apply -f -', input: web, want: ['deployment.apps/web unchanged'] },
  {
    run: 'kubectl diff -f -',
    input: web.replace('web:1', 'web:2'),
    want: [/^-.*image: web:1$/m, /^\+.*image: web:2$/m],
    code: 1,
  },
  {
    run: 'kubectl apply --server-side -f -',
    input: settings.replace('COLOR', 'red'),
    want: ['configmap/settings serverside-applied'],
  },
  {
    run: 'kubectl apply --server-side --field-manager=other -f -',
    input: settings.replace('COLOR', 'blue'),
    want: ['conflict with "kubectl"', '.data.color'],
    code: 1,
  },
  {
    run: 'kubectl apply --server-side --field-manager=other --force-conflicts -f -',
    input: settings.replace('COLOR', 'blue'),
    want: ['configmap/settings serverside-applied'],
  },
  { run: 'kubectl get deployment web', want: [/^NAME +READY +UP-TO-DATE +AVAILABLE +AGE\nweb +0\/2 +\d +0 +\S+$/m] },
  { run: 'kubectl get deployment web -o wide', want: [/CONTAINERS +IMAGES +SELECTOR/, /main +web:1 +app=web/] },
  { run: 'kubectl get deployment web -o name', want: ['deployment.apps/web'] },
  { run: "kubectl get deployment web -o jsonpath='{.spec.template.spec.containers[0].image}'", want: [/^web:1$/] },
  { run: 'kubectl get deployment web -o json', want: ['"kind": "Deployment"', '"replicas": 2'] },
  { run: 'kubectl get deployment web -o yaml', want: ['kind: Deployment', 'progressDeadlineSeconds: 600'] },
  {
    run: 'kubectl get deployments -o custom-columns=NAME:.metadata.name,WANT:.spec.replicas',
    want: [/^NAME +WANT\nweb +2$/m],
  },
  { run: 'kubectl get deployment web --show-labels', want: ['LABELS', 'app=web'] },
  { run: "kubectl get pods -l app=web -o go-template='{{len .items}}'", want: [/^2$/] },
  { run: 'kubectl get pods --field-selector=status.phase=Pending', want: [/web-\w+-\w+ +0\/1 +Pending/] },
  { run: 'kubectl get nothing', want: ['the server doesn\'t have a resource type "nothing"'], code: 1 },
  { run: 'kubectl get pod absent', want: ['Error from server (NotFound): pods "absent" not found'], code: 1 },
  { run: 'kubectl describe deployment web', want: [/Replicas: +2 desired/, 'NewReplicaSet:', 'ScalingReplicaSet'] },
  {
    run: 'kubectl patch deployment web -p \'{"spec":{"template":{"spec":{"containers":[{"name":"main","env":[{"name":"A","value":"1"}]}]}}}}\'',
    want: ['deployment.apps/web patched'],
  },
  {
    run: 'kubectl patch deployment web --type=merge -p \'{"metadata":{"annotations":{"note":"n"}}}\'',
    want: ['deployment.apps/web patched'],
  },
  {
    run: 'kubectl patch deployment web --type=json -p \'[{"op":"replace","path":"/spec/replicas","value":1}]\'',
    want: ['deployment.apps/web patched'],
  },
  {
    run: 'kubectl patch deployment web --type=merge -p \'{"spec":{"replicas":-1}}\'',
    want: ['spec.replicas: Invalid value: -1: must be greater than or equal to 0'],
    code: 1,
  },
  { run: 'kubectl label deployment web tier=front', want: ['deployment.apps/web labeled'] },
  {
    run: 'kubectl label deployment web tier=back',
    want: ['already has a value (front), and --overwrite is false'],
    code: 1,
  },
  { run: 'kubectl annotate deployment web note-', want: ['deployment.apps/web annotated'], since: '1.35' },
  { run: 'kubectl set image deployment/web main=web:3', want: ['deployment.apps/web image updated'] },
  { run: 'kubectl set env deployment/web B=2', want: ['deployment.apps/web env updated'] },
  {
    run: 'kubectl set resources deployment web --limits=cpu=100m,memory=64Mi',
    want: ['deployment.apps/web resource requirements updated'],
  },
  { run: 'kubectl scale deployment web --replicas=3', want: ['deployment.apps/web scaled'] },
  {
    run: 'kubectl scale deployment web --current-replicas=7 --replicas=4',
    want: ['Expected replicas to be 7, was 3'],
    code: 1,
  },
  {
    run: 'kubectl autoscale deployment web --min=1 --max=5 --cpu=50%',
    want: ['horizontalpodautoscaler.autoscaling/web autoscaled'],
    since: '1.35',
  },
  {
    run: 'kubectl autoscale deployment web --name=again --min=1 --max=5 --cpu-percent=50',
    want: ['horizontalpodautoscaler.autoscaling/again autoscaled'],
  },
  { run: 'kubectl get hpa again', want: [/again +Deployment\/web +cpu: <unknown>\/50% +1 +5/] },
  { run: 'kubectl rollout history deployment/web', want: ['REVISION', 'CHANGE-CAUSE'] },
  { run: 'kubectl rollout restart deployment/web', want: ['deployment.apps/web restarted'] },
  { run: 'kubectl rollout pause deployment/web', want: ['deployment.apps/web paused'] },
  { run: 'kubectl rollout resume deployment/web', want: ['deployment.apps/web resumed'] },
  { run: 'kubectl rollout undo deployment/web --to-revision=1', want: ['deployment.apps/web rolled back'] },
  { run: 'kubectl rollout status deployment/web --timeout=1s', want: [/Waiting for deployment|timed out/], code: 1 },
  { run: 'kubectl expose deployment web --port=80 --target-port=80', want: ['service/web exposed'] },
  { run: 'kubectl get service web', want: [/^web +ClusterIP +10\.\d+\.\d+\.\d+ +<none> +80\/TCP +\S+$/m] },
  {
    run: 'kubectl explain deployment.spec.strategy.rollingUpdate.maxSurge',
    want: [/maxSurge/, 'The maximum number of pods'],
  },
  { run: 'kubectl explain cronjob --recursive', want: ['concurrencyPolicy', 'jobTemplate'] },
  {
    run: 'kubectl explain pod.spec.containers.imagePullPolicy',
    want: [/^FIELD: +imagePullPolicy <string>$/m, 'Possible enum values:'],
  },
  {
    run: 'kubectl explain pod.spec.containers.imagePullPolicy',
    want: ['FIELD: imagePullPolicy <string>\nENUM:\n    Always\n    IfNotPresent\n    Never\n\nDESCRIPTION:\n'],
    since: '1.35',
  },
  {
    run: 'kubectl explain pod.spec.restartPolicy',
    want: ['FIELD: restartPolicy <string>\nENUM:\n    Always\n    Never\n    OnFailure\n\nDESCRIPTION:\n'],
    since: '1.35',
  },
  {
    run: 'kubectl explain pod.spec.tolerations --recursive',
    want: ['  effect\t<string>\n  enum: NoExecute, NoSchedule, PreferNoSchedule\n  key\t<string>\n'],
    since: '1.35',
  },
  { run: 'kubectl explain pod', want: [/^ +kind\t<string>\n +Kind is a string value/m] },
  { run: 'kubectl auth can-i delete nodes', want: [/^yes$/m] },
  { run: 'kubectl auth can-i delete nodes --as=somebody', want: [/^no/m], code: 1 },
  { run: 'kubectl auth can-i --list --as=somebody', want: ['selfsubjectaccessreviews.authorization.k8s.io'] },
  { run: 'kubectl auth whoami', want: [/Username +kubernetes-admin/], since: '1.35' },
  { run: 'kubectl create serviceaccount robot', want: ['serviceaccount/robot created'] },
  {
    run: 'kubectl create role reader --verb=get,list --resource=pods',
    want: ['role.rbac.authorization.k8s.io/reader created'],
  },
  {
    run: 'kubectl create rolebinding reads --role=reader --serviceaccount=shop:robot',
    want: ['rolebinding.rbac.authorization.k8s.io/reads created'],
  },
  { run: 'kubectl auth can-i list pods --as=system:serviceaccount:shop:robot', want: [/^yes$/m] },
  { run: 'kubectl create token robot --duration=10m', want: [/^eyJ[\w-]+\.[\w-]+\.[\w-]+$/m], since: '1.35' },
  { run: 'kubectl create secret generic login --from-literal=user=me', want: ['secret/login created'] },
  { run: "kubectl get secret login -o jsonpath='{.data.user}'", want: [/^bWU=$/] },
  { run: 'kubectl create configmap files --from-literal=a=b', want: ['configmap/files created'] },
  { run: 'kubectl create quota few --hard=configmaps=4', want: ['resourcequota/few created'] },
  { run: 'kubectl create job once --image=web:1 -- true', want: ['job.batch/once created'] },
  { run: 'kubectl apply -f -', input: often, want: ['cronjob.batch/often created'] },
  {
    run: 'kubectl create cronjob daily --image=web:1 --schedule="0 1 * * *"',
    want: ['cronjob.batch/daily created'],
    since: '1.35',
  },
  { run: 'kubectl create job from-cron --from=cronjob/often', want: ['job.batch/from-cron created'], since: '1.35' },
  { run: 'kubectl create ingress web --rule="shop.example/*=web:80"', want: ['ingress.networking.k8s.io/web created'] },
  { run: 'kubectl get ingress web', want: [/^web +<none> +shop\.example +80 +\S+$/m] },
  {
    run: 'kubectl create poddisruptionbudget web --selector=app=web --min-available=1',
    want: ['poddisruptionbudget.policy/web created'],
    since: '1.35',
  },
  { run: 'kubectl create priorityclass high --value=1000', want: ['priorityclass.scheduling.k8s.io/high created'] },
  { run: 'kubectl run single --image=web:1 --restart=Never', want: ['pod/single created'] },
  { run: 'kubectl run single --image=web:1 --dry-run=client -o yaml', want: ['kind: Pod', 'run: single'] },
  { run: 'kubectl run other --image=web:1 --dry-run=server', want: ['pod/other created (server dry run)'] },
  {
    run: 'kubectl wait pod/single --for=condition=PodScheduled --timeout=1s',
    want: ['timed out waiting for the condition'],
    code: 1,
  },
  {
    run: 'kubectl wait pod/single --for=jsonpath={.status.phase}=Pending --timeout=60s',
    want: ['pod/single condition met'],
    since: '1.35',
  },
  { run: 'kubectl get pods -w --request-timeout=3s', want: [/^single +0\/1 +Pending/m], since: '1.35' },
  { run: 'kubectl get events', want: [/Warning +FailedScheduling +pod\/single/] },
  { run: 'kubectl events --for pod/single', want: ['FailedScheduling'], since: '1.35' },
  { run: 'EDITOR="sed -i s/blue/green/" kubectl edit configmap settings', want: ['configmap/settings edited'] },
  {
    run: 'kubectl get configmap settings -o json | sed s/green/white/ | kubectl replace -f -',
    want: ['configmap/settings replaced'],
  },
  { run: "kubectl get configmap settings -o jsonpath='{.data.color}'", want: [/^white$/] },
  {
    run: 'kubectl apply -f -',
    input: '{"apiVersion":"v1","kind":"Node","metadata":{"name":"n1"}}',
    want: ['node/n1 created'],
  },
  { run: 'kubectl cordon n1', want: ['node/n1 cordoned'] },
  { run: 'kubectl uncordon n1', want: ['node/n1 uncordoned'] },
  { run: 'kubectl taint node n1 key=value:NoSchedule', want: ['node/n1 tainted'] },
  {
    run: 'kubectl drain n1 --dry-run=server',
    want: ['node/n1 cordoned (server dry run)', 'node/n1 drained (server dry run)'],
  },
  {
    run: 'kubectl apply -f -',
    input:
      '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"leaving"},"spec":{"nodeName":"n1","terminationGracePeriodSeconds":0,"containers":[{"name":"c","image":"i"}]}}',
    want: ['pod/leaving created'],
  },
  { run: 'kubectl drain n1 --force --timeout=20s', want: ['pod/leaving evicted'] },
  { run: 'kubectl uncordon n1', want: ['node/n1 uncordoned'] },
  { run: 'kubectl get node n1', want: [/^n1 +\S+ +<none> +\S+ *\S*$/m] },
  { run: 'kubectl top nodes', want: ['Metrics API not available'], code: 1 },
  {
    run: 'kubectl get componentstatuses',
    want: [/^controller-manager +Healthy +ok/m, /^scheduler +Healthy +ok/m, /^etcd-0 +Healthy +ok/m],
  },
  { run: 'kubectl get --raw /readyz', want: [/^ok/] },
  {
    run: 'kubectl get --raw /apis/apps/v1/namespaces/shop/deployments/web/scale',
    want: ['"kind":"Scale"', '"replicas":3'],
  },
  {
    run: 'kubectl proxy --port=0 >out & for i in $(seq 300); do sleep 0.1; grep -q Starting out && break; done; curl -s http://$(sed "s/.* //" out)/api/v1/namespaces/shop; kill $!',
    want: ['"kind":"Namespace"', '"name":"shop"'],
  },
  { run: 'kubectl get all', want: ['deployment.apps/web', 'service/web', 'cronjob.batch/often', 'pod/single'] },
  { run: 'kubectl delete pod single --now', want: ['pod "single"', 'deleted'] },
  {
    run: 'kubectl delete jobs,cronjobs --all',
    want: [/job\.batch "once".*deleted/, /cronjob\.batch "often".*deleted/],
  },
  {
    run: 'kubectl delete deployment,service -l app=web --wait=false',
    want: [/deployment\.apps "web".*deleted/, /service "web".*deleted/],
  },
  { run: 'kubectl delete node n1', want: [/node "n1" deleted/] },
  { run: 'kubectl delete priorityclass high', want: [/"high" deleted/] },
  { run: 'kubectl delete namespace shop --timeout=120s', want: ['namespace "shop" deleted'] },
  { run: 'kubectl get namespace shop', want: ['NotFound'], code: 1 },
];
