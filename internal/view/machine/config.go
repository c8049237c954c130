package machine

import (
	"maps"
	"slices"
	"strings"

	tfjson "github.com/hashicorp/terraform-json"

	"github.com/fluxbatch/fluxbatch/config"
	"github.com/fluxbatch/fluxbatch/internal/addrs"
	"github.com/fluxbatch/fluxbatch/internal/image"
	"github.com/fluxbatch/fluxbatch/planner"
)

// config returns the part of a configuration that a plan knows: its accounts, its blocks, and which
// images they name. The expressions themselves are not in a plan.
func (d *PlanDocument) config() *tfjson.Config {
	root := &tfjson.ConfigModule{}
	blocks := map[addrs.Image]*tfjson.ConfigResource{}
	for _, c := range d.Plan.Changes {
		if c.Desired == nil {
			continue
		}
		block := addrs.Image{Module: c.Address.Module.Unkeyed(), Name: c.Address.Name}
		resource := blocks[block]
		if resource == nil {
			resource = &tfjson.ConfigResource{
				Address: addrs.Image{Name: block.Name}.String(), Mode: tfjson.ManagedResourceMode, Type: resourceType, Name: block.Name,
				ProviderConfigKey: c.Desired.Provider, Expressions: map[string]*tfjson.Expression{},
			}
			blocks[block] = resource
			module := configModule(root, block.Module)
			module.Resources = append(module.Resources, resource)
		}
		addExpressions(resource, c)
	}
	for _, o := range d.Plan.Outputs {
		if o.After != nil {
			if root.Outputs == nil {
				root.Outputs = map[string]*tfjson.ConfigOutput{}
			}
			root.Outputs[o.Name] = &tfjson.ConfigOutput{Sensitive: o.After.Sensitive}
		}
	}
	return &tfjson.Config{ProviderConfigs: providerConfigs(d.Settings), RootModule: root}
}

// addExpressions notes which images an instance's arguments are made from.
func addExpressions(resource *tfjson.ConfigResource, c *planner.Change) {
	all := c.Attributes()
	for i := range all {
		r, ok := all[i].After.(image.Reference)
		if !ok {
			continue
		}
		upstream, err := addrs.Parse(r.Name())
		if err != nil {
			continue // A path or a URL.
		}
		name, _, _ := attributePath(all[i].Name)
		expression := resource.Expressions[name]
		if expression == nil {
			expression = &tfjson.Expression{ExpressionData: &tfjson.ExpressionData{ConstantValue: tfjson.UnknownConstantValue}}
			resource.Expressions[name] = expression
		}
		if reference := (addrs.Image{Name: upstream.Name}).String(); !slices.Contains(expression.References, reference) {
			expression.References = append(expression.References, reference)
		}
	}
}

// configModule returns the module of a path without keys, made where it is not there yet.
func configModule(root *tfjson.ConfigModule, path addrs.Module) *tfjson.ConfigModule {
	module := root
	for name := range path.Steps() {
		if module.ModuleCalls == nil {
			module.ModuleCalls = map[string]*tfjson.ModuleCall{}
		}
		call := module.ModuleCalls[name]
		if call == nil {
			call = &tfjson.ModuleCall{Module: &tfjson.ConfigModule{}}
			module.ModuleCalls[name] = call
		}
		module = call.Module
	}
	return module
}

func providerConfigs(s *config.Settings) map[string]*tfjson.ProviderConfig {
	if s == nil {
		return nil
	}
	all := map[string]*tfjson.ProviderConfig{}
	for _, address := range slices.Sorted(maps.Keys(s.Providers)) {
		p := s.Providers[address]
		name, alias, _ := strings.Cut(address, ".")
		expressions := map[string]*tfjson.Expression{}
		constant := func(name string, value any) {
			expressions[name] = &tfjson.Expression{ExpressionData: &tfjson.ExpressionData{ConstantValue: value}}
		}
		if p.Region != "" {
			constant("region", p.Region)
		}
		if p.Endpoint != "" {
			constant("endpoint", p.Endpoint)
		}
		if p.Concurrency > 0 {
			constant("concurrency", p.Concurrency)
		}
		all[address] = &tfjson.ProviderConfig{Name: name, FullName: providerName, Alias: alias, Expressions: expressions}
	}
	return all
}
