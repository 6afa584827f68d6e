# shellcheck shell=bash disable=SC2034
# The bed's ports and secrets, and what each daemon is configured to do.
# Sourced by up.sh after daemons.sh; needs BED_PORT_BASE and BED_ZONE.

PORT_KEYSTONE=$((BED_PORT_BASE + 0))
PORT_NOVA=$((BED_PORT_BASE + 1))
PORT_GLANCE=$((BED_PORT_BASE + 2))
PORT_PLACEMENT=$((BED_PORT_BASE + 3))
PORT_NEUTRON=$((BED_PORT_BASE + 4))
PORT_DB=$((BED_PORT_BASE + 5))
PORT_AMQP=$((BED_PORT_BASE + 6))
PORT_ERLANG=$((BED_PORT_BASE + 7))
PORT_EPMD=$((BED_PORT_BASE + 8))

secrets() {
	if [ ! -s "$BED_DIR/secrets" ]; then
		local name
		for name in ADMIN SERVICE DB DB_READER AMQP; do
			printf '%s_PASSWORD=%s\n' "$name" "$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')"
		done >"$BED_DIR/secrets.new"
		mv "$BED_DIR/secrets.new" "$BED_DIR/secrets"
	fi
	# shellcheck source=/dev/null
	. "$BED_DIR/secrets"
	AMQP_URL=rabbit://bed:$AMQP_PASSWORD@127.0.0.1:$PORT_AMQP/
	AUTH_URL=http://127.0.0.1:$PORT_KEYSTONE/v3
}

# db_url NAME: the SQLAlchemy URL of one database.
db_url() { echo "mysql+pymysql://bed:$DB_PASSWORD@127.0.0.1:$PORT_DB/$1?charset=utf8"; }

# auth SECTION: how a service makes itself known to Keystone.
auth() {
	cat <<-END
		[$1]
		auth_type = password
		auth_url = $AUTH_URL
		www_authenticate_uri = $AUTH_URL
		username = bed
		password = $SERVICE_PASSWORD
		project_name = service
		user_domain_name = Default
		project_domain_name = Default
		region_name = RegionOne
	END
}

configure() {
	configure_mariadb >"$ETC/my.cnf"
	configure_rabbitmq >"$ETC/rabbitmq.conf"
	echo '[].' >"$ETC/rabbitmq-plugins"
	configure_keystone >"$ETC/keystone.conf"
	configure_glance >"$ETC/glance-api.conf"
	configure_placement >"$ETC/placement.conf"
	configure_neutron >"$ETC/neutron.conf"
	configure_nova >"$ETC/nova.conf"
	configure_libvirtd >"$ETC/libvirtd.conf"
	configure_client
	configure_host
}

configure_mariadb() {
	cat <<-END
		[mariadbd]
		user = root
		datadir = $BED_DIR/mariadb
		# Not /tmp, where each mariadbd that starts removes the files of all others.
		tmpdir = $RUN
		socket = $RUN/mariadb.sock
		bind-address = 127.0.0.1
		port = $PORT_DB
		skip-name-resolve
		skip-log-bin
		max_connections = 500
		innodb_flush_log_at_trx_commit = 0
		innodb_doublewrite = 0
		innodb_buffer_pool_size = 256M
	END
}

configure_rabbitmq() {
	cat <<-END
		listeners.tcp.1 = 127.0.0.1:$PORT_AMQP
		default_user = bed
		default_pass = $AMQP_PASSWORD
		log.console = true
		log.file = false
		disk_free_limit.absolute = 50MB
	END
}

configure_keystone() {
	cat <<-END
		[database]
		connection = $(db_url keystone)
		[token]
		provider = fernet
		[fernet_tokens]
		key_repository = $BED_DIR/keystone/fernet
		[credential]
		key_repository = $BED_DIR/keystone/credential
	END
}

configure_glance() {
	cat <<-END
		[DEFAULT]
		bind_host = 127.0.0.1
		bind_port = $PORT_GLANCE
		workers = 1
		node_staging_uri = file://$BED_DIR/glance/staging
		image_cache_dir = $BED_DIR/glance/cache
		[database]
		connection = $(db_url glance)
		[glance_store]
		stores = file
		default_store = file
		filesystem_store_datadir = $BED_DIR/glance/images
		[oslo_concurrency]
		lock_path = $BED_DIR/lock
		[paste_deploy]
		flavor = keystone
		config_file = /etc/glance/glance-api-paste.ini
		$(auth keystone_authtoken)
	END
}

configure_placement() {
	cat <<-END
		[api]
		auth_strategy = keystone
		[placement_database]
		connection = $(db_url placement)
		$(auth keystone_authtoken)
	END
}

configure_neutron() {
	cat <<-END
		[DEFAULT]
		bind_host = 127.0.0.1
		bind_port = $PORT_NEUTRON
		api_workers = 1
		rpc_workers = 0
		core_plugin = ml2
		service_plugins =
		auth_strategy = keystone
		api_paste_config = /etc/neutron/api-paste.ini
		state_path = $BED_DIR/neutron
		transport_url = $AMQP_URL
		notify_nova_on_port_status_changes = false
		notify_nova_on_port_data_changes = false
		[ml2]
		type_drivers = local
		tenant_network_types = local
		mechanism_drivers =
		[database]
		connection = $(db_url neutron)
		[oslo_concurrency]
		lock_path = $BED_DIR/lock
		$(auth keystone_authtoken)
	END
}

configure_nova() {
	cat <<-END
		[DEFAULT]
		host = bed
		my_ip = 127.0.0.1
		state_path = $BED_DIR/nova
		instances_path = $BED_DIR/nova/instances
		transport_url = $AMQP_URL
		compute_driver = libvirt.LibvirtDriver
		enabled_apis = osapi_compute
		osapi_compute_listen = 127.0.0.1
		osapi_compute_listen_port = $PORT_NOVA
		osapi_compute_workers = 1
		report_interval = 3
		service_down_time = 30
		graceful_shutdown_timeout = 5
		shutdown_timeout = 3
		vif_plugging_is_fatal = false
		resume_guests_state_on_host_boot = true
		reserved_host_memory_mb = 0
		initial_cpu_allocation_ratio = 32
		[api]
		auth_strategy = keystone
		[wsgi]
		api_paste_config = /etc/nova/api-paste.ini
		[api_database]
		connection = $(db_url nova_api)
		[database]
		connection = $(db_url nova)
		[conductor]
		workers = 1
		[scheduler]
		workers = 1
		[libvirt]
		connection_uri = qemu:///system
		virt_type = qemu
		cpu_mode = none
		wait_soft_reboot_seconds = 20
		[vnc]
		enabled = false
		[spice]
		enabled = false
		[notifications]
		notification_format = versioned
		notify_on_state_change = vm_state
		[oslo_messaging_notifications]
		driver = messagingv2
		[oslo_concurrency]
		lock_path = $BED_DIR/lock
		[nova_sys_admin]
		helper_command = /usr/bin/privsep-helper --config-file $ETC/nova.conf
		$(auth keystone_authtoken)
		$(auth placement)
		$(auth neutron)
		[glance]
		region_name = RegionOne
	END
}

# All of nova-compute's threads are one client, and libvirtd would let it wait, and hang up on it
# when the wait is long.
configure_libvirtd() {
	cat <<-END
		max_client_requests = 100
		keepalive_interval = -1
		auth_unix_ro = "none"
		auth_unix_rw = "none"
		unix_sock_group = "root"
		unix_sock_ro_perms = "0777"
		unix_sock_rw_perms = "0770"
	END
}

configure_client() {
	cat >"$BED_DIR/clouds.yaml" <<-END
		clouds:
		  bed:
		    auth:
		      auth_url: $AUTH_URL
		      username: admin
		      password: $ADMIN_PASSWORD
		      project_name: admin
		      user_domain_name: Default
		      project_domain_name: Default
		    region_name: RegionOne
		    identity_api_version: 3
		    compute_api_version: '2.92'
	END
	cat >"$BED_DIR/openrc" <<-END
		export OS_CLIENT_CONFIG_FILE=$BED_DIR/clouds.yaml
		export OS_CLOUD=bed
		export BED_DIR=$BED_DIR
		export BED_ZONE=$BED_ZONE
		export BED_ADMIN_PASSWORD=$ADMIN_PASSWORD
		export BED_LIBVIRT_URI=qemu:///system
		# the database of Nova's cell: may only SELECT
		export BED_CELL_DB_URL='mysql+pymysql://reader:$DB_READER_PASSWORD@127.0.0.1:$PORT_DB/nova?charset=utf8'
		# the same, may do everything
		export BED_CELL_DB_RW_URL='$(db_url nova)'
		export BED_TRANSPORT_URL=$AMQP_URL
	END
}

# The host's /etc as libvirtd, nova-compute and QEMU see it (host-view.sh): a copy of the
# machine's, less its secrets, with the bed's zone. A copy of before is written over, so that
# the domain definitions in it stay.
configure_host() {
	local etc=$BED_DIR/host/etc
	mkdir -p "$etc"
	tar -C /etc --exclude='./*shadow*' --exclude=./ssh --exclude=./ssl/private \
		--exclude=./libvirt/qemu --exclude=./localtime --exclude=./timezone -cf - . |
		tar -C "$etc" -xf -
	mkdir -p "$etc/libvirt/qemu"
	if [ -n "$BED_ZONE" ]; then
		ln -sfn "/usr/share/zoneinfo/$BED_ZONE" "$etc/localtime"
		echo "$BED_ZONE" >"$etc/timezone"
	else
		rm -f "$etc/localtime" "$etc/timezone"
		cp -a /etc/localtime "$etc/localtime"
	fi
	# So that it works in a container too: QEMU runs as root, without confinement, cgroups or a
	# /dev of its own, and logs into plain files, for which no virtlogd is needed.
	cat >"$etc/libvirt/qemu.conf" <<-END
		user = "root"
		group = "root"
		dynamic_ownership = 0
		remember_owner = 0
		security_driver = "none"
		cgroup_controllers = [ ]
		namespaces = [ ]
		stdio_handler = "file"
	END
}
