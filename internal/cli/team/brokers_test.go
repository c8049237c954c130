package team_test

import (
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/fluxbatch/fluxbatch/internal/porttest"
)

// brokers are nodes that keep the same, each of which can go away and come back where it was.
type brokers struct {
	dir    string
	ports  []int // for clients
	routes []int // for each other
	nodes  []*server.Server
}

func startBrokers(t *testing.T, n int) *brokers {
	t.Helper()
	b := &brokers{dir: t.TempDir(), nodes: make([]*server.Server, n)}
	for range n {
		b.ports, b.routes = append(b.ports, porttest.Find(t)), append(b.routes, porttest.Find(t))
	}
	for i := range b.nodes {
		b.start(t, i)
	}
	b.wait(t)
	t.Cleanup(func() {
		for _, node := range b.nodes {
			node.Shutdown()
		}
	})
	return b
}

func (b *brokers) start(t *testing.T, i int) {
	t.Helper()
	o := &server.Options{
		ServerName: fmt.Sprintf("n%d", i), Host: "127.0.0.1", Port: b.ports[i], JetStream: true, StoreDir: filepath.Join(b.dir, fmt.Sprint(i)), NoSigs: true, NoLog: true,
	}
	if len(b.nodes) > 1 {
		o.Cluster = server.ClusterOpts{Name: "studio", Host: "127.0.0.1", Port: b.routes[i]}
		for _, port := range b.routes {
			o.Routes = append(o.Routes, &url.URL{Scheme: "nats", Host: fmt.Sprintf("127.0.0.1:%d", port)})
		}
	}
	node, err := server.NewServer(o)
	if err != nil {
		t.Fatal(err)
	}
	node.Start()
	if !node.ReadyForConnections(time.Minute) {
		t.Fatal("a broker does not start")
	}
	b.nodes[i] = node
}

// wait waits until the nodes have a leader.
func (b *brokers) wait(t *testing.T) {
	t.Helper()
	for len(b.nodes) > 1 {
		for _, node := range b.nodes {
			if node.JetStreamIsLeader() {
				return
			}
		}
		select {
		case <-t.Context().Done():
			t.Fatal("the brokers have no leader")
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (b *brokers) kill(i int) {
	b.nodes[i].Shutdown()
	b.nodes[i].WaitForShutdown()
}

// replicas has so many of the nodes keep the slots.
func (b *brokers) replicas(t *testing.T, n int) {
	t.Helper()
	conn, err := nats.Connect(b.url())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	kept, err := js.Stream(t.Context(), "KV_fluxbatch")
	if err != nil {
		t.Fatal(err)
	}
	c := kept.CachedInfo().Config
	c.Replicas = n
	if _, err := js.UpdateStream(t.Context(), c); err != nil {
		t.Fatal(err)
	}
}

// url names all nodes.
func (b *brokers) url() string {
	var all []string
	for _, port := range b.ports {
		all = append(all, fmt.Sprintf("nats://127.0.0.1:%d", port))
	}
	return strings.Join(all, ",")
}
